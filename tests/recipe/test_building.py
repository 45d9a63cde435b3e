import pytest

from robust_train.defenses import AdversarialTraining
from robust_train.errors import UserError
from robust_train.perturbations import FGSM, PGD, WorstOf
from robust_train.recipe.building import build
from robust_train.recipe.names import CHECKPOINT


def node(name, **fields):
    return {"class_path": name, "init_args": fields}


def test_nodes_are_built_at_any_depth():
    members = [node("FGSM", eps=0.1), node("PGD", eps=0.1, bounds=(0.0, 2.0))]
    built = build({"a": [node("WorstOf", eps=0.1, members=members)], "b": 3}, CHECKPOINT)
    assert built == {
        "a": [WorstOf(eps=0.1, members=[FGSM(eps=0.1), PGD(eps=0.1, bounds=(0.0, 2.0))])],
        "b": 3,
    }
    assert build(node("AdversarialTraining", perturbation=node("FGSM")), CHECKPOINT) == AdversarialTraining(
        FGSM()
    )
    assert build({"class_path": "PGD"}, CHECKPOINT) == PGD()


@pytest.mark.parametrize("value", [node("os.system", command="true"), {"x": [node("os.system")]}])
def test_nothing_else_is_called(value):
    with pytest.raises(UserError, match="not a name that recipes may use"):
        build(value, CHECKPOINT)


def test_weights_are_never_fetched(monkeypatch):
    monkeypatch.setattr("torch.hub.load_state_dict_from_url", None)
    for field in ({"weights": "DEFAULT"}, {"pretrained": True}):
        assert build(node("torchvision.models.squeezenet1_1", **field), CHECKPOINT)


def test_a_missing_argument_is_told():
    with pytest.raises(UserError, match="WorstOf: missing a required"):
        build(node("WorstOf"), CHECKPOINT)
