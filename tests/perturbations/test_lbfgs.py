"""L-BFGS against the closed forms of linear networks and of a ball."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from robust_train import LBFGS, CrossEntropy, Goal, Margin
from robust_train.attacking.gradients import Counted
from tests.closed_forms import half_spaces, minimal_sizes
from tests.toy_networks import Ellipsoid, convolutional, linear_case

every_box = pytest.mark.parametrize("bounds", [None, (0.0, 1.0)], ids=["unbounded", "boxed"])
exact = LBFGS(c=1.0, candidates=9, binary_search_steps=20, steps=8)


def sizes(search, case, goal=None):
    return search(case.network, case.inputs, case.labels, goal=goal).size.numpy()


@every_box
@pytest.mark.parametrize("objective", [CrossEntropy(), Margin()], ids=["cross-entropy", "margin"])
def test_it_finds_the_distance_of_binary_linear_networks(bounds, objective):
    for seed in range(5):
        case = linear_case(seed, classes=2, walls=seed % 2)
        truth = minimal_sizes(case.network, case.inputs, case.labels, "l2", bounds)
        found = sizes(replace(exact, bounds=bounds, objective=objective), case)
        np.testing.assert_allclose(found, truth, rtol=1e-3)


@every_box
def test_it_finds_the_nearest_of_many_classes(bounds):
    for seed in range(3):
        case = linear_case(seed)
        truth = minimal_sizes(case.network, case.inputs, case.labels, "l2", bounds)
        found = sizes(replace(exact, bounds=bounds), case)
        np.testing.assert_allclose(found, truth, rtol=1e-3)


def test_cross_entropy_descends_along_a_mixture_of_classes():
    case = linear_case(1)
    truth = minimal_sizes(case.network, case.inputs, case.labels, "l2")
    ratio = sizes(replace(exact, bounds=None, objective=CrossEntropy()), case) / truth
    assert (ratio > 1).all()
    assert 1.01 < np.median(ratio) < 1.5


def test_it_finds_the_distance_to_a_target():
    case = linear_case(2, classes=4)
    target = (case.labels + 1) % 4
    rows = zip(case.inputs.flatten(1).numpy(), case.labels.tolist(), target.tolist(), strict=True)
    found = sizes(replace(exact, bounds=None), case, Goal(target, targeted=True))
    for size, (x, label, goal) in zip(found, rows, strict=True):
        # Of the half-spaces without the label's own, that of the target.
        w, gap = half_spaces(case.network, x, label)[goal - (goal > label)]
        assert size >= gap / np.linalg.norm(w) * (1 - 1e-6)
    reached = sizes(replace(exact, bounds=None), case)
    assert (found >= reached * (1 - 1e-3)).all()
    assert np.isclose(found, reached, rtol=1e-3).any()


def test_the_boundary_of_a_ball_is_the_rest_of_its_radius_away():
    rho = torch.linspace(0.1, 1.9, 16, dtype=torch.float64)
    x = torch.randn(16, 12, dtype=torch.float64)
    x = x * (rho / x.norm(dim=1))[:, None]
    found = replace(exact, bounds=None)(Ellipsoid([2.0] * 12), x, torch.zeros(16, dtype=torch.int64))
    torch.testing.assert_close(found.size, 2 - rho, rtol=1e-3, atol=0)


def test_the_first_weight_does_not_matter_to_a_convex_problem():
    case = linear_case(4, classes=2)
    small, large = (sizes(replace(exact, c=c), case) for c in (1e-4, 1e4))
    np.testing.assert_allclose(small, large, rtol=1e-3)


def test_more_weights_and_more_candidates_never_find_more():
    network, inputs = convolutional(), torch.rand(32, 1, 8, 8)
    labels = network(inputs).argmax(1)
    few, more, most = (
        LBFGS(binary_search_steps=n, candidates=k)(network, inputs, labels).size
        for n, k in ((4, 1), (8, 1), (8, 3))
    )
    assert (few >= more).all()
    assert (more >= most * (1 - 1e-6)).all()


def test_passes_are_at_most_those_that_were_asked_for():
    case = linear_case(3, classes=4)
    network, search = Counted(case.network), LBFGS(binary_search_steps=4, steps=3, candidates=2)
    search(network, case.inputs, case.labels)
    assert network.backwards <= len(case.inputs) * 2 * 4 * (3 + 1)


@pytest.mark.parametrize("name", ["c", "binary_search_steps", "steps", "history", "candidates"])
def test_what_has_no_meaning_is_refused(name):
    with pytest.raises(ValueError, match=f"^LBFGS: {name} must be"):
        LBFGS(**{name: 0})
