"""The certificate beside the search: of a linear network they meet."""

import pytest
import torch
from torch import nn

from robust_train import CertifiedRadius, DeepFool, RobustClassifier, study
from robust_train.lipschitz.bound import difference_bounds
from robust_train.studies import certified_radius
from tests.closed_forms import minimal_sizes
from tests.toy_networks import linear


def data(count, shape=(1, 4, 4)):
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(count, *shape, generator=generator)
    return [(image, k % 3) for k, image in enumerate(images)]


def asked(network, count=60, block=128, **fields):
    study_of = CertifiedRadius(**{"eps": [0.05, 0.0, 0.2], **fields})
    return study(network, data(count), {"one": study_of}, block=block, progress=False)["one"]


def test_of_a_linear_network_certified_and_found_are_the_truth():
    network = linear((1, 4, 4), 3, torch.float32)
    found = asked(network)
    images, labels = (torch.stack([x for x, _ in data(60)]).double(), torch.tensor([y for _, y in data(60)]))
    predicted = network.double()(images).argmax(1)
    truth = torch.from_numpy(minimal_sizes(network, images, predicted, "l2"))
    right = predicted == labels
    certified, unbroken = found.figures[0].series.values()
    for points in (certified, unbroken):
        assert [eps for eps, _ in points] == [0.0, 0.05, 0.2]
    for eps, share in certified:
        assert share.value == pytest.approx((right & (truth > eps)).double().mean().item())
        assert share.n == 60
    assert found.settings["median certified"] == pytest.approx(truth.median().item(), rel=0.05)
    assert all(low.value <= high.value for (_, low), (_, high) in zip(certified, unbroken, strict=True))


def test_any_block_gives_the_same():
    network = linear((1, 4, 4), 3, torch.float32)
    assert asked(network, 20, 7) == asked(network, 20, 128)


def test_the_bounds_are_computed_once_for_all_blocks(monkeypatch):
    calls = []

    def counting(*args):
        calls.append(args)
        return difference_bounds(*args)

    monkeypatch.setattr(certified_radius, "difference_bounds", counting)
    asked(linear((1, 4, 4), 3, torch.float32), 20, 7)
    assert len(calls) == 1


class Boastful(nn.Module):
    """Claims a tenth of what it stretches."""

    def __init__(self):
        super().__init__()
        self.flatten, self.dense = nn.Flatten(), nn.Linear(16, 3)

    def forward(self, x):
        return self.dense(self.flatten(x))

    def lipschitz(self, bound):
        return bound(self.dense) / 10


def test_a_claim_that_a_search_refutes_stops_the_study():
    sentence = r"^CertifiedRadius: a perturbation of size .* lies within the radius"
    with pytest.raises(RuntimeError, match=sentence):
        asked(Boastful())


class Coarse(Boastful):
    """What it computes in single precision is its own logits times a factor."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return super().forward(x) * (1 if x.dtype == torch.float64 else self.factor)

    def lipschitz(self, bound):
        return bound(self.dense)


def test_the_certificate_is_that_of_double_precision():
    torch.manual_seed(0)
    network = Coarse(1.0)
    plain = asked(network)
    network.factor = 4.0
    assert asked(network) == plain
    assert plain.settings["median certified"] > 0
    network.factor = -1.0
    assert asked(network).settings["median certified"] == 0


class Shifted(Boastful):
    """In single precision it sees less of class 0."""

    def forward(self, x):
        z = super().forward(x)
        return z if x.dtype == torch.float64 else z - torch.tensor([0.3, 0.0, 0.0])

    def lipschitz(self, bound):
        return bound(self.dense)


def test_what_rounding_breaks_is_not_certified():
    torch.manual_seed(0)
    network = Shifted()
    network.dense.weight.data = torch.eye(3, 16)
    network.dense.bias.data = torch.tensor([2.0, 0.0, 0.0])
    settings = asked(network, perturbation=DeepFool(norm="l2", bounds=None)).settings
    assert 0.5 < settings["median certified"] <= settings["median found"]


def test_the_network_is_found_behind_what_wraps_it():
    network = linear((1, 4, 4), 3, torch.float32)
    plain = asked(network)
    assert asked(RobustClassifier(network)) == plain
    assert asked(torch.compile(network, backend="eager")) == plain


def test_what_has_no_meaning_is_refused():
    with pytest.raises(ValueError, match="the search is in linf: give one in l2"):
        CertifiedRadius(eps=[0.1], perturbation=DeepFool(norm="linf"))
    with pytest.raises(ValueError, match="eps must be radii of at least 0"):
        CertifiedRadius(eps=[])
    with pytest.raises(ValueError, match="the network is a function"):
        asked(lambda x: x.flatten(1)[:, :3])
    with pytest.raises(ValueError, match="No Lipschitz bound is known of Softmax"):
        asked(nn.Sequential(nn.Flatten(), nn.Linear(16, 3), nn.Softmax(1)))
