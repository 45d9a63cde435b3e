import sys

import pytest
import torch
from torchvision.models import resnet18

from robust_train.errors import UserError
from robust_train.networks import SmallCNN
from robust_train.objectives import Objective
from robust_train.perturbations import Perturbation
from robust_train.recipe.names import CHECKPOINT, RECIPE


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SmallCNN", SmallCNN),
        ("robust_train.SmallCNN", SmallCNN),
        ("robust_train.networks.SmallCNN", SmallCNN),
        ("robust_train.networks.small_cnn.SmallCNN", SmallCNN),
        ("torchvision.models.resnet18", resnet18),
        ("torchvision.models.resnet.resnet18", resnet18),
    ],
)
def test_every_usual_spelling_is_found(name, expected):
    assert CHECKPOINT.resolve(name) is expected
    assert CHECKPOINT.full(name) == f"{expected.__module__.rpartition('.')[0]}.{expected.__name__}"


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "builtins.eval",
        "torch.load",
        "torch.hub.load",
        "torchvision.models.get_model",
        "torchvision.models.utils.load_state_dict_from_url",
        "robust_train.networks.small_cnn.nn",
        "robust_train.networks.torch",
        "robust_train.networks.small_cnn.Sequence",
        "robust_train.recipe.names.import_module",
        "pytorch_lightning.callbacks.ModelCheckpoint",
        "torch.optim.SGD",
        "",
        ".",
        "SmallCNN.forward",
        "__import__",
    ],
)
def test_a_checkpoint_names_nothing_else(name):
    with pytest.raises(UserError):
        CHECKPOINT.resolve(name)


def test_nothing_outside_of_the_list_is_imported(tmp_path, monkeypatch):
    (tmp_path / "canary.py").write_text("class Net: pass")
    monkeypatch.syspath_prepend(tmp_path)
    for names in (CHECKPOINT, RECIPE):
        with pytest.raises(UserError, match="--allow-code canary"):
            names.resolve("canary.Net")
    assert "canary" not in sys.modules
    assert CHECKPOINT.allow("canary").resolve("canary.Net").__name__ == "Net"
    del sys.modules["canary"]


def test_a_recipe_for_training_names_what_training_needs():
    assert RECIPE.resolve("SGD") is torch.optim.SGD
    assert RECIPE.full("OneCycleLR") == "torch.optim.lr_scheduler.OneCycleLR"
    assert RECIPE.full("CSVLogger") == "pytorch_lightning.loggers.CSVLogger"
    assert RECIPE.full("Robustness") == "robust_train.callbacks.Robustness"


@pytest.mark.parametrize(
    ("name", "base", "words"),
    [
        ("PDG", Perturbation, "There is no Perturbation PDG. Did you mean PGD?"),
        ("Nothing", Objective, "There are DLR, CrossEntropy, Margin."),
        ("SmallCNN", Perturbation, "SmallCNN is no Perturbation."),
        ("torchvision.models.resnet81", torch.nn.Module, "Did you mean resnet"),
    ],
)
def test_the_sentence_names_the_cure(name, base, words):
    with pytest.raises(UserError) as caught:
        CHECKPOINT.resolve(name, base)
    assert words in str(caught.value)
    assert "Budgeted" not in str(caught.value)


def test_names_of_the_same():
    assert RECIPE.means("PGD", "robust_train.perturbations.pgd.PGD")
    assert not RECIPE.means("PGD", "FGSM")
    assert not RECIPE.means("Nothing", "Nothing")
