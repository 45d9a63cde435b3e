"""DDN against the closed forms of linear networks and of a ball."""

import numpy as np
import pytest
import torch

from robust_train import DDN, DeepFool
from robust_train.attacking.gradients import Counted
from tests.closed_forms import excess, minimal_sizes, to_the_sphere
from tests.toy_networks import Ellipsoid, curved, inside_the_ball, linear_case

UNIT_BOX = (0.0, 1.0)


@pytest.mark.parametrize("bounds", [None, UNIT_BOX], ids=["unbounded", "boxed"])
@pytest.mark.parametrize("started", [False, True], ids=["", "started"])
def test_it_comes_near_the_distance_of_linear_networks(started, bounds):
    start = DeepFool(bounds=bounds, candidates=10) if started else None
    for seed in range(6):
        # With several classes, the one that leads may be out of reach: that takes a start.
        case = linear_case(seed, classes=None if started else 2, walls=seed % 2)
        truth = minimal_sizes(case.network, case.inputs, case.labels, "l2", bounds)
        found = DDN(bounds=bounds, start=start)(case.network, case.inputs, case.labels).size.numpy()
        np.testing.assert_array_equal(np.isinf(found), np.isinf(truth))
        feasible = np.isfinite(truth)
        assert (found[feasible] >= truth[feasible] * (1 - 1e-9)).all()
        assert (found[feasible] <= truth[feasible] * (1.021 if started else 1.005)).all()


@pytest.mark.parametrize("bounds", [None, UNIT_BOX], ids=["unbounded", "boxed"])
def test_of_several_classes_it_misses_the_nearest_by_a_fifth_without_a_start(bounds):
    """The gradient of the cross-entropy mixes them."""
    ratios = excess(DDN(bounds=bounds), (linear_case(seed, walls=seed % 2) for seed in range(6)), "l2")
    assert 1.1 < np.median(ratios) < 1.25
    assert np.quantile(ratios, 0.9) <= 1.4


def ball(start=None, **fields):
    x = inside_the_ball()
    search = DDN(bounds=None, start=start, **fields)
    found = search(Ellipsoid([2.0] * 12), x, torch.zeros(32, dtype=torch.int64))
    return found.size.numpy() / to_the_sphere(x, 2.0, "l2")


def test_the_boundary_of_a_ball_is_the_rest_of_its_radius_away():
    assert (ball() >= 1 - 1e-9).all()
    assert (ball() <= 1.02).all()


def test_a_start_is_never_lost():
    start = DeepFool(bounds=None, refinements=2)
    assert (ball(start) <= ball(start, steps=1) + 1e-12).all()
    network, x = curved((6,), 4), torch.rand(32, 6, dtype=torch.float64)
    labels, start = network(x).argmax(1), DeepFool(refinements=0)
    assert (DDN(start=start)(network, x, labels).size <= start(network, x, labels).size).all()


def test_where_the_start_fails_it_begins_at_the_input():
    case = linear_case(4, classes=3, walls=True)
    hopeless = DeepFool(steps=1, overshoot=0, refinements=0, candidates=2)
    feasible = np.isfinite(minimal_sizes(case.network, case.inputs, case.labels, "l2", UNIT_BOX))
    found = DDN(start=hopeless)(case.network, case.inputs, case.labels).size
    np.testing.assert_array_equal(found.isfinite().numpy(), feasible)


def test_levels_are_what_pixels_take():
    case = linear_case(8, classes=4)
    inputs = (case.inputs * 15).round() / 15
    found = DDN(levels=16)(case.network, inputs, case.labels)
    torch.testing.assert_close(found.inputs * 15, (found.inputs * 15).round(), rtol=0, atol=1e-9)
    assert found.size.isfinite().any()


def test_it_costs_one_pass_each_way_a_step():
    case = linear_case(5, classes=5)
    network = Counted(case.network)
    DDN(steps=7)(network, case.inputs, case.labels)
    assert network.backwards == 7 * len(case.inputs)
    assert network.forwards == (7 + 3) * len(case.inputs)  # the goal, the last point and the verdict


@pytest.mark.parametrize(
    ("name", "value"), [("steps", 0), ("gamma", 0), ("gamma", 2.0), ("init_norm", -1), ("levels", 1)]
)
def test_what_has_no_meaning_is_refused(name, value):
    with pytest.raises(ValueError, match=f"^DDN: {name} must be"):
        DDN(**{name: value})


def test_a_start_must_solve_the_same_problem():
    with pytest.raises(ValueError, match=r"^DDN: start must minimise l2, not linf"):
        DDN(start=DeepFool(norm="linf"))
