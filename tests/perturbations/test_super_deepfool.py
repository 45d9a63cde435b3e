"""SuperDeepFool against the closed forms of linear networks and of ellipsoids."""

import numpy as np
import pytest
import torch

from robust_train import DeepFool, SuperDeepFool
from robust_train.types import Goal
from tests.closed_forms import minimal_sizes, to_the_sphere
from tests.toy_networks import Ellipsoid, convolutional, inside_the_ball, linear_case


@pytest.mark.parametrize("bounds", [None, (0.0, 1.0)], ids=["unbounded", "boxed"])
def test_it_finds_the_distance_of_linear_networks(bounds):
    search = SuperDeepFool(bounds=bounds, candidates=10, overshoot=1e-5, steps=5, walk=10)
    for seed in range(20):
        case = linear_case(seed, walls=seed % 2)
        truth = minimal_sizes(case.network, case.inputs, case.labels, "l2", bounds)
        found = search(case.network, case.inputs, case.labels).size.numpy()
        np.testing.assert_allclose(found, truth, rtol=1e-4)


def test_it_finds_the_distance_to_the_boundary_of_a_ball():
    x = inside_the_ball()
    found = SuperDeepFool(bounds=None)(Ellipsoid([2.0] * 12), x, torch.zeros(32, dtype=torch.int64))
    np.testing.assert_allclose(found.size, to_the_sphere(x, 2.0, "l2"), rtol=1e-3)


def test_projections_cut_the_detours_of_the_walk():
    angle, radius = torch.rand(2, 64, dtype=torch.float64)
    directions = torch.stack([3 * angle.mul(2 * np.pi).cos(), angle.mul(2 * np.pi).sin()], 1)
    inputs, labels = 0.9 * radius[:, None] * directions, torch.zeros(64, dtype=torch.int64)
    t = np.linspace(0, 2 * np.pi, 20_001)
    curve = np.stack([3 * np.cos(t), np.sin(t)], 1)
    truth = np.array([np.linalg.norm(curve - x, axis=1).min() for x in inputs.numpy()])
    walk, projected = (
        search(Ellipsoid([3.0, 1.0]), inputs, labels).size.numpy()
        for search in (DeepFool(bounds=None, refinements=0), SuperDeepFool(bounds=None))
    )
    assert (projected <= walk * (1 + 1e-9)).all()
    assert np.median(walk / truth) > 1.1
    # Where the boundary bends sharply the projections can jump past the nearest point.
    assert np.median(projected / truth) < 1.01
    assert np.mean(projected <= 1.05 * truth) > 0.7


def test_bisections_only_ever_bring_it_nearer():
    network, inputs = convolutional(), torch.rand(64, 1, 8, 8)
    labels = network(inputs).argmax(1)
    sizes = [SuperDeepFool(bisections=n)(network, inputs, labels).size for n in (0, 3, 10)]
    assert (sizes[1] <= sizes[0] * (1 + 1e-6)).all()
    assert (sizes[2] <= sizes[1] * (1 + 1e-6)).all()
    assert (sizes[2] < sizes[0]).any()


def test_it_reaches_targets():
    case = linear_case(5, classes=4)
    target = Goal((case.labels + 1) % 4, targeted=True)
    found = SuperDeepFool(bounds=None)(case.network, case.inputs, case.labels, goal=target)
    assert found.size.isfinite().all()


@pytest.mark.parametrize(
    ("name", "value"), [("steps", 0), ("walk", 0), ("refinements", -1), ("norm", "linf"), ("candidates", 1)]
)
def test_what_has_no_meaning_is_refused(name, value):
    with pytest.raises(ValueError, match=r"^SuperDeepFool: "):
        SuperDeepFool(**{name: value})
