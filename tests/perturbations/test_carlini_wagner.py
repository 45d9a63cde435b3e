"""The search of Carlini and Wagner against the closed forms of linear networks and of a ball."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from robust_train import CarliniWagner
from robust_train.attacking.gradients import Counted
from tests.closed_forms import excess, minimal_sizes
from tests.toy_networks import Ellipsoid, convolutional, linear_case

thorough = CarliniWagner(steps=200, learning_rate=0.05, initial_const=1.0, progress=1e-4, ratio=1.0)


def sizes(search, case):
    return search(case.network, case.inputs, case.labels).size.numpy()


@pytest.mark.parametrize("bounds", [None, (0.0, 1.0)], ids=["unbounded", "boxed"])
@pytest.mark.parametrize(("classes", "median", "most"), [(2, 1.01, 1.05), (None, 1.03, 1.15)])
def test_it_comes_near_the_distance_of_linear_networks(bounds, classes, median, most):
    cases = (linear_case(seed, classes=classes) for seed in range(3))
    ratios = excess(replace(thorough, bounds=bounds), cases, "l2")
    assert np.median(ratios) <= median
    assert np.quantile(ratios, 0.9) <= most


def test_the_boundary_of_a_ball_is_the_rest_of_its_radius_away():
    rho = torch.linspace(0.1, 1.9, 16, dtype=torch.float64)
    x = torch.randn(16, 12, dtype=torch.float64)
    x = x * (rho / x.norm(dim=1))[:, None]
    found = replace(thorough, bounds=None)(Ellipsoid([2.0] * 12), x, torch.zeros(16, dtype=torch.int64))
    assert (found.size >= (2 - rho) * (1 - 1e-9)).all()
    assert (found.size <= (2 - rho) * 1.02 + 0.02).all()


@pytest.mark.parametrize("first", [1e-3, 1e3])
def test_the_weight_is_found_from_below_and_from_above(first):
    case = linear_case(4, classes=2)
    truth = minimal_sizes(case.network, case.inputs, case.labels, "l2")
    search = replace(thorough, bounds=None, initial_const=first)
    near, far = sizes(search, case), sizes(replace(search, binary_search_steps=1), case)
    assert np.isfinite(near).all()
    # Of some, Adam's steps are too long for a few large weights: its loss swings, and they leave early.
    assert np.median(near / truth) < 1.02
    if first < 1:
        assert np.isinf(far).any()  # too small a weight to reach anything
    else:
        assert np.median(far / truth) > 1.05  # too large a one to stay near
        assert (near <= far).all()


def test_a_find_has_the_confidence_that_was_asked_for():
    case = linear_case(5, classes=2)
    found = replace(thorough, bounds=None, confidence=0.3)(case.network, case.inputs, case.labels)
    lead = case.network(found.inputs).gather(1, 1 - case.labels[:, None]) - case.network(found.inputs).gather(
        1, case.labels[:, None]
    )
    assert found.size.isfinite().all()
    assert (lead > 0.3 * (1 - 1e-9)).all()


def test_samples_leave_once_their_loss_no_longer_falls_and_take_nobody_with_them():
    network, x = convolutional(), torch.rand(64, 1, 8, 8)
    labels = network(x).argmax(1)
    search = CarliniWagner(steps=50, learning_rate=0.1, binary_search_steps=3, progress=1e-3)
    counted = Counted(network)
    found = search(counted, x, labels)
    assert counted.backwards < 0.9 * 64 * 50 * 3
    alone = search(network, x[:3], labels[:3])
    torch.testing.assert_close(found.size[:3], alone.size, rtol=1e-3, atol=1e-3)


def test_haste_saves_passes_and_still_finds_all():
    network, x = convolutional(), torch.rand(64, 1, 8, 8)
    labels, search = network(x).argmax(1), CarliniWagner(steps=50, learning_rate=0.05, initial_const=0.1)
    slow, fast = Counted(network), Counted(network)
    careful = replace(search, progress=1e-4, ratio=1.0)(slow, x, labels)
    hasty = replace(search, progress=0.05, ratio=3.0)(fast, x, labels)
    assert fast.backwards < slow.backwards / 2
    assert (hasty.size.isfinite() == careful.size.isfinite()).all()
    assert careful.size.median() <= hasty.size.median() < 1.3 * careful.size.median()


@pytest.mark.parametrize("name", ["steps", "learning_rate", "binary_search_steps", "initial_const"])
def test_what_has_no_meaning_is_refused(name):
    with pytest.raises(ValueError, match=f"^CarliniWagner: {name} must be"):
        CarliniWagner(**{name: 0})
    with pytest.raises(ValueError, match=r"^CarliniWagner: ratio must be at least 1, not 0\.5\.$"):
        CarliniWagner(ratio=0.5)
