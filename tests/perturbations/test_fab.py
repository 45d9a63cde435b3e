"""FAB against the closed forms of linear networks and of a ball."""

import numpy as np
import pytest
import torch

from robust_train import FAB, DeepFool, Goal
from tests.closed_forms import minimal_sizes, to_the_sphere
from tests.toy_networks import Ellipsoid, curved, inside_the_ball, linear_case


@pytest.mark.parametrize(("bounds", "rtol"), [(None, 1e-5), ((0.0, 1.0), 5e-3)], ids=["unbounded", "boxed"])
@pytest.mark.parametrize("norm", ["l2", "linf", "l1"])
def test_it_finds_the_distance_of_linear_networks(norm, bounds, rtol):
    search = FAB(norm=norm, bounds=bounds, candidates=10, steps=20, bisections=20)
    for seed in range(10):
        case = linear_case(seed, walls=seed % 2)
        truth = minimal_sizes(case.network, case.inputs, case.labels, norm, bounds)
        found = search(case.network, case.inputs, case.labels).size.numpy()
        # Both are inf where the box holds no other class.
        np.testing.assert_allclose(found, truth, rtol=rtol)


@pytest.mark.parametrize("norm", ["l2", "linf", "l1"])
def test_runs_towards_every_class_find_the_distance_of_linear_networks(norm):
    search = FAB(norm=norm, steps=20, targets=9, bisections=20)
    for seed in range(4):
        case = linear_case(seed)
        truth = minimal_sizes(case.network, case.inputs, case.labels, norm, (0.0, 1.0))
        found = search(case.network, case.inputs, case.labels).size.numpy()
        np.testing.assert_allclose(found, truth, rtol=5e-3)


@pytest.mark.parametrize("norm", ["l2", "linf", "l1"])
def test_it_finds_the_distance_to_the_boundary_of_a_ball(norm):
    x = inside_the_ball()
    found = FAB(norm=norm, bounds=None)(Ellipsoid([2.0] * 12), x, torch.zeros(32, dtype=torch.int64))
    np.testing.assert_allclose(found.size, to_the_sphere(x, 2.0, norm), rtol=1e-3)


def test_it_cuts_the_detours_of_a_walk():
    angle, radius = torch.rand(2, 64, dtype=torch.float64)
    directions = torch.stack([3 * angle.mul(2 * np.pi).cos(), angle.mul(2 * np.pi).sin()], 1)
    inputs, labels = 0.9 * radius[:, None] * directions, torch.zeros(64, dtype=torch.int64)
    t = np.linspace(0, 2 * np.pi, 20_001)
    curve = np.stack([3 * np.cos(t), np.sin(t)], 1)
    truth = np.array([np.linalg.norm(curve - x, axis=1).min() for x in inputs.numpy()])
    walk, found = (
        search(Ellipsoid([3.0, 1.0]), inputs, labels).size.numpy()
        for search in (DeepFool(bounds=None, refinements=0), FAB(bounds=None))
    )
    assert np.median(walk / truth) > 1.1
    assert np.median(found / truth) < 1.01


def test_restarts_and_bisections_never_find_more():
    network, inputs = curved((5,), 4), torch.rand(32, 5, dtype=torch.float64)
    labels = network(inputs).argmax(1)

    def size(**fields):
        return FAB(steps=8, **fields)(network, inputs, labels).size

    plain = size(bisections=0)
    for more in (size(bisections=0, restarts=4), size(bisections=10)):
        assert (more <= plain).all()
        assert (more < plain).any()


def test_it_reaches_targets():
    case = linear_case(5, classes=4)
    target = Goal((case.labels + 1) % 4, targeted=True)
    found = FAB(bounds=None, steps=20)(case.network, case.inputs, case.labels, goal=target)
    assert torch.equal(case.network(found.inputs).argmax(1), target.labels)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", 0),
        ("restarts", 0),
        ("alpha_max", 2),
        ("eta", 0.9),
        ("beta", 1),
        ("norm", "l0"),
        ("candidates", 1),
    ],
)
def test_what_has_no_meaning_is_refused(name, value):
    with pytest.raises(ValueError, match=r"^FAB: "):
        FAB(**{name: value})
