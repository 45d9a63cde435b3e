"""Corrupted images against the transform itself, and the smallest severity of one."""

import pytest
import torch

from robust_train import Brightness, Corrupted, Corruption, GaussianBlur, Goal, Rigid, SmallestSeverity
from robust_train.attacking.gradients import Counted
from robust_train.randomness import Streams
from tests.toy_networks import linear

NOISE = Corruption(kind="gaussian_noise")


def case(count=24, shape=(1, 8, 8)):
    torch.manual_seed(2)
    network, inputs = linear(shape, 5), torch.rand(count, *shape, dtype=torch.float64)
    return network, inputs, network(inputs).argmax(1)


def column(count, value):
    return torch.full((count, 1), value, dtype=torch.float64)


def test_one_draw_is_the_transform_and_costs_no_pass():
    network, inputs, labels = case()
    counted, rng = Counted(network), Streams.of(4, range(24))
    found = Corrupted(transform=NOISE, severity=2.5)(counted, inputs, labels, rng=rng)
    assert counted.forwards == 0
    torch.testing.assert_close(found.inputs, NOISE(inputs, column(24, 2.5), rng))
    assert torch.equal(found.size, torch.full((24,), 2.5, dtype=torch.float64))
    assert torch.equal(found.parameters, column(24, 2.5))


def test_of_several_draws_the_smallest_margin_is_kept():
    network, inputs, labels = case()
    rng = Streams.of(4, range(24))
    counted = Counted(network)
    found = Corrupted(transform=NOISE, severity=5.0, draws=7)(counted, inputs, labels, rng=rng)
    every = NOISE(inputs.repeat(7, 1, 1, 1), column(7 * 24, 5.0), rng.repeat(7))
    margins = Goal(labels.repeat(7)).margin(network(every)).view(7, 24)
    torch.testing.assert_close(Goal(labels).margin(network(found.inputs)), margins.amin(0))
    assert counted.forwards == 7 * 24
    assert (margins.argmin(0) > 0).any()


def test_more_draws_leave_no_more_standing():
    network, inputs, labels = case(64)
    stands = []
    for draws in (1, 4, 16):
        found = Corrupted(transform=NOISE, severity=5.0, draws=draws)(network, inputs, labels)
        stands.append(Goal(labels).margin(network(found.inputs)) >= 0)
    assert (stands[2] <= stands[1]).all()
    assert (stands[1] <= stands[0]).all()
    assert stands[2].sum() < stands[0].sum()


def test_the_size_is_the_distance_from_what_changes_nothing():
    network, inputs, labels = case()
    found = Corrupted(transform=Brightness(), severity=-0.2)(network, inputs, labels)
    torch.testing.assert_close(found.inputs, (inputs - 0.2).clamp_min(0))
    torch.testing.assert_close(found.size, torch.full((24,), 0.2, dtype=torch.float64))


def test_the_smallest_severity_of_fog_lies_where_the_label_changes():
    network, inputs, labels = case(32, (3, 16, 16))
    fog = Corruption(kind="fog")
    search = SmallestSeverity(transform=fog, largest=5.0, two_sided=False, points=10, overshoot=1e-3)
    found = search(network, inputs, labels)
    reached = found.size.isfinite()
    assert 5 < reached.sum() < 32
    assert (found.size[reached] <= 5.01).all()
    rng = Streams.of(0, range(32))
    theta = found.size.where(reached, 5.0)[:, None]
    assert (network(fog(inputs, theta, rng)).argmax(1) != labels)[reached].all()
    assert (network(fog(inputs, theta / 1.005, rng)).argmax(1) == labels).all()


@pytest.mark.parametrize("transform", [Corruption(kind="fog"), GaussianBlur(largest=2.0)])
def test_beyond_its_interval_a_transform_changes_nothing_more(transform):
    _, inputs, _ = case(2, (3, 8, 8))
    rng, (low, high) = Streams.of(0, range(2)), transform.interval
    for end, outward in ((low, -1.0), (high, 1.0)):
        last, beyond = (transform(inputs, column(2, value), rng) for value in (end, end + outward))
        assert torch.equal(last, beyond)
        assert Corrupted(transform=transform, severity=end).severity == end
    assert not torch.equal(last, transform(inputs, column(2, high - 1), rng))


def test_images_in_other_units_are_refused():
    network, inputs, labels = case(2)
    search = Corrupted(transform=Corruption(kind="contrast"), severity=1.0, bounds=(0.0, 255.0))
    search(network, inputs / inputs.max() * (1 + 1e-6), labels)
    with pytest.raises(ValueError, match=r"^Corruption: images lie in \[.*\], but are cut to \[0, 1\]: "):
        search(network, inputs * 255, labels)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Corrupted(transform=Rigid(), severity=1.0), "Rigid has 3 parameters: give a transform with"),
        (lambda: Corrupted(transform=NOISE, severity=1.0, draws=0), "draws must be positive"),
        (lambda: Corrupted(transform=Brightness(), severity=1.0, draws=2), "draws must be 1, not 2"),
        (
            lambda: Corrupted(transform=NOISE, severity=7.0),
            r"^Corrupted: Corruption takes a severity from 0 to 5, not 7: change severity\.$",
        ),
        (lambda: Corrupted(transform=NOISE, severity=-1.0), "from 0 to 5, not -1"),
        (lambda: Corrupted(transform=NOISE, severity=float("nan")), "from 0 to 5, not nan"),
        (lambda: Corrupted(transform=GaussianBlur(), severity=10.0), "width in pixels from -5 to 5, not 10"),
        (lambda: Corrupted(transform=Brightness(), severity=float("nan")), "from -inf to inf, not nan"),
        (
            lambda: SmallestSeverity(transform=GaussianBlur(largest=3.0), largest=4.0),
            r"^SmallestSeverity: GaussianBlur takes a width in pixels from -3 to 3, not 4: change largest\.$",
        ),
    ],
)
def test_wrong_hyper_parameters_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
