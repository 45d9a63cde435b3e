"""DeepFool against the closed forms of linear networks and of a ball."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from robust_train import DeepFool, Goal
from robust_train.attacking.gradients import Counted
from tests.closed_forms import minimal_sizes, to_the_sphere
from tests.toy_networks import Ellipsoid, inside_the_ball, linear, linear_case

UNIT_BOX = (0.0, 1.0)
exact = DeepFool(candidates=10, overshoot=1e-5)


def sizes(deepfool, case):
    return deepfool(case.network, case.inputs, case.labels).size.numpy() / (1 + deepfool.overshoot)


@pytest.mark.parametrize("bounds", [None, UNIT_BOX], ids=["unbounded", "boxed"])
@pytest.mark.parametrize("norm", ["l2", "linf", "l1"])
def test_it_finds_the_distance_of_linear_networks(norm, bounds):
    deepfool = DeepFool(norm=norm, bounds=bounds, candidates=10, overshoot=1e-5)
    infeasible = 0
    for seed in range(40):
        case = linear_case(seed, walls=seed % 2)
        truth = minimal_sizes(case.network, case.inputs, case.labels, norm, bounds)
        # Both are inf where the box holds no other class.
        np.testing.assert_allclose(sizes(deepfool, case), truth, rtol=1e-4)
        infeasible += np.isinf(truth).sum()
    assert (infeasible > 0) == (bounds is not None)


@pytest.mark.parametrize("bounds", [None, UNIT_BOX], ids=["as published", "boxed"])
@pytest.mark.parametrize("norm", ["l2", "linf", "l1"])
def test_one_step_reaches_the_boundary_of_a_linear_network(norm, bounds):
    deepfool = replace(DeepFool.as_published(norm), bounds=bounds, overshoot=1e-4)
    for seed in range(40):
        case = linear_case(seed, walls=True)
        truth = minimal_sizes(case.network, case.inputs, case.labels, norm, bounds)
        feasible = torch.from_numpy(np.isfinite(truth))
        network = Counted(case.network)
        found = deepfool(network, case.inputs[feasible], case.labels[feasible])
        np.testing.assert_allclose(found.size / (1 + 1e-4), truth[feasible], rtol=1e-4)
        assert network.backwards == feasible.sum() * (case.network[-1].out_features - 1)


def test_as_published_is_the_authors_choice():
    published = DeepFool.as_published()
    assert (published.candidates, published.overshoot, published.steps) == (10, 0.02, 50)
    assert (published.bounds, published.refinements, published.norm) == (None, 0, "l2")


def test_without_overshoot_it_ends_behind_the_boundary():
    for seed in range(10):
        case = linear_case(seed)
        truth = minimal_sizes(case.network, case.inputs, case.labels, "l2")
        found = sizes(DeepFool(candidates=10, overshoot=0, bounds=None), case)
        np.testing.assert_allclose(found, truth, rtol=1e-9, atol=2e-4)


@pytest.mark.parametrize("norm", ["l2", "linf", "l1"])
def test_it_finds_the_distance_to_the_boundary_of_a_ball(norm):
    x = inside_the_ball()
    search = DeepFool(norm=norm, bounds=None, overshoot=1e-6)
    found = search(Ellipsoid([2.0] * 12), x, torch.zeros(32, dtype=torch.int64))
    np.testing.assert_allclose(found.size, to_the_sphere(x, 2.0, norm), rtol=1e-4)


def test_it_leaves_the_prediction_and_not_the_label():
    case = linear_case(3)
    wrong = (case.labels + 1) % case.network[-1].out_features
    right, other = (exact(case.network, case.inputs, labels) for labels in (case.labels, wrong))
    assert torch.equal(right.size, other.size)


def test_walks_to_all_targets_find_the_nearest_boundary():
    for seed in range(20):
        case = linear_case(seed)
        truth = minimal_sizes(case.network, case.inputs, case.labels, "l2", UNIT_BOX)
        search = DeepFool(targets=10, candidates=2, overshoot=1e-5)
        np.testing.assert_allclose(sizes(search, case), truth, rtol=1e-4)


def test_fewer_candidates_and_targets_never_find_less():
    network, inputs = linear((6,), 8), torch.rand(64, 6, dtype=torch.float64)
    labels = network(inputs).argmax(1)
    every = DeepFool(candidates=8, bounds=None)(network, inputs, labels)
    few = DeepFool(candidates=2, bounds=None)(network, inputs, labels)
    assert (few.size >= every.size * (1 - 1e-9)).all()
    assert (few.size > every.size * 1.01).any()


@pytest.mark.parametrize("norm", ["l2", "linf", "l1"])
def test_targets_of_linear_networks_are_reached_and_are_no_nearer_than_any_class(norm):
    case = linear_case(5, classes=4)
    deepfool = replace(exact, norm=norm, bounds=None)
    targets = Goal((case.labels + 1) % 4, targeted=True)
    found = deepfool(case.network, case.inputs, case.labels, goal=targets)
    assert torch.equal(case.network(found.inputs).argmax(1), targets.labels)
    assert (found.size.numpy() >= (1 - 1e-6) * sizes(deepfool, case)).all()


def test_refinements_find_the_nearest_point_of_a_curved_boundary():
    angle, radius = torch.rand(2, 64, dtype=torch.float64)
    directions = torch.stack([3 * angle.mul(2 * np.pi).cos(), angle.mul(2 * np.pi).sin()], 1)
    inputs, labels = 0.9 * radius[:, None] * directions, torch.zeros(64, dtype=torch.int64)
    t = np.linspace(0, 2 * np.pi, 100_001)
    curve = np.stack([3 * np.cos(t), np.sin(t)], 1)
    truth = np.array([np.linalg.norm(curve - x, axis=1).min() for x in inputs.numpy()])
    walk, refined = (
        DeepFool(bounds=None, overshoot=1e-4, refinements=n)(
            Ellipsoid([3.0, 1.0]), inputs, labels
        ).size.numpy()
        for n in (0, 10)
    )
    assert (refined <= walk).all()
    assert (refined <= 1.01 * truth).all()
    assert np.median(walk / truth) > 1.1  # the detour that is cut off


def test_what_falls_short_goes_back_less_and_less():
    """Beyond the first step the slope is along x, and steps from either side end short of x = 1."""
    seen = []

    def network(z):
        x, y = z.double().unbind(1)
        seen.append(y[0].item())
        u = x - 1
        f = torch.where(u > 0, u.abs() ** (1 / 3), u**3) + 3 * y * (x < 0.1)
        return torch.stack([torch.zeros_like(f), f], 1)

    search = DeepFool(bounds=None, overshoot=0, refinements=5)
    search(network, torch.zeros(1, 2, dtype=torch.float64), torch.tensor([0]))
    start = 1 / 6  # the first step is f / (2 * 3) each way
    shares = np.cumprod([1, 0.5, 0.8, 0.9, 0.95, 0.975])
    np.testing.assert_allclose(seen[-7:-1], start * shares, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "value"), [("steps", 0), ("candidates", 1), ("overshoot", -0.1), ("refinements", -1)]
)
def test_what_has_no_meaning_is_refused(name, value):
    with pytest.raises(ValueError, match=f"^DeepFool: {name} must be"):
        DeepFool(**{name: value})
