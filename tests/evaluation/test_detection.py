"""What an evaluation tells of a network that flags inputs, and of none other."""

import torch

from robust_train import PGD, DeepFool, Square, Static, evaluate
from tests.attacking.test_rejection import grey
from tests.toy_networks import Flagging, linear


def brightness():
    """Brighter than 0.5 is class 1, and brighter than 0.6 flagged."""
    network = linear((1, 2, 2), 2)
    network[1].weight.data = torch.tensor([[-1.0] * 4, [1.0] * 4], dtype=torch.float64)
    network[1].bias.data = torch.tensor([2.0, -2.0], dtype=torch.float64)
    return Flagging(network, level=0.6).eval()


DATA = [(image, 0) for image in grey(0.45, 0.44, 0.43, 0.42, 0.1, 0.7)]
SUITE = {
    "static": Static(perturbation=PGD(eps=0.18, drop=False)),
    "adaptive": PGD(eps=0.18),
    "onward": PGD(eps=0.18, drop=False),
    "square": Square(eps=0.18, queries=50),
    "minimal": DeepFool(),
    "static minimal": Static(perturbation=DeepFool()),
}


def test_a_network_that_flags_has_false_positives_and_curves():
    results = evaluate(brightness(), DATA, SUITE, progress=False)
    assert (results.false_positives.value, results.false_positives.n) == (1 / 6, 6)
    found = {name: regime.detection for name, regime in results.regimes.items()}
    assert (found["static"].caught.value, found["static"].caught.n) == (0.75, 4)
    assert found["adaptive"].caught.value == 0.0
    assert found["adaptive"].curve[-1] == (1 / 6, found["adaptive"].caught)
    assert {name for name, d in found.items() if d and d.auc} == {"static", "onward"}
    assert {name for name, d in found.items() if d is None} == {"minimal", "static minimal"}


def test_any_other_has_neither():
    results = evaluate(brightness().network, DATA, SUITE, progress=False)
    assert results.false_positives is None
    assert not any(regime.detection for regime in results.regimes.values())
