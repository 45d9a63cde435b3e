import pytest
import torch
from torch import nn

from robust_train import PGD, NoiseLayers, Semirandom
from robust_train.evaluation.deployed import Deployed
from robust_train.evaluation.rehearsal import rehearse
from tests.snapshots import snapshot


@pytest.fixture
def network():
    layers = nn.Flatten(), nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(), nn.Linear(8, 3)
    return nn.Sequential(*layers)


IMAGES, LABELS = torch.rand(2, 1, 2, 2), torch.tensor([0, 1])


def test_searches_are_begun_and_left(network):
    calls = []
    network.register_forward_hook(lambda *args: calls.append(1))
    rehearse(Deployed(network), {"pgd": PGD(steps=10**9), "other": PGD()}, IMAGES, LABELS)
    assert 0 < len(calls) <= 6


def test_nothing_changes(network):
    before = snapshot(network)
    rehearse(Deployed(network), {"pgd": PGD(), "semirandom": Semirandom(dimension=4)}, IMAGES, LABELS)
    assert snapshot(network) == before


def test_what_does_not_fit_is_told(network):
    with pytest.raises(ValueError, match="at most 4 here, not 5"):
        rehearse(Deployed(network), {"semirandom": Semirandom(dimension=5)}, IMAGES, LABELS)
    with pytest.raises(ValueError, match="no Noise in it"):
        rehearse(Deployed(network), {"pgd": PGD()}, IMAGES, LABELS, draws=2)
    rehearse(Deployed(NoiseLayers().wrap(network)), {"pgd": PGD()}, IMAGES, LABELS, draws=2)
