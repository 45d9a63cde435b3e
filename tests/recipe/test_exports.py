from robust_train.perturbations import PGD
from robust_train.recipe.exports import exports


def test_exports_are_classes_and_functions_of_the_package():
    assert exports("robust_train.perturbations")["PGD"] is PGD
    assert "Path" not in exports("torchvision.models")


def test_helpers_that_reach_for_the_network_are_left_out():
    found = exports("torchvision.models")
    assert "resnet18" in found
    assert not {"get_model", "get_weight", "list_models", "ResNet18_Weights"} & found.keys()
