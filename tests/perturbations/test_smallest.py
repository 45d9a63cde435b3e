"""Bisection on eps against the closed forms, and what a sweep promises."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from robust_train import FGSM, PGD, Budgeted, Goal, Margin, Perturbed, Smallest, UniversalGradient, WorstOf
from robust_train.attacking.gradients import Counted
from robust_train.perturbations.base import unmeasured
from tests.closed_forms import excess, half_spaces, minimal_sizes, to_the_sphere
from tests.toy_networks import Ellipsoid, inside_the_ball, linear_case

fine = {"bisections": 12}


def sizes(search, case):
    return search(case.network, case.inputs, case.labels).size.numpy()


def test_fgsm_is_minimal_on_binary_linear_networks():
    search = Smallest(budgeted=FGSM(norm="linf", objective=Margin()), bounds=None, smallest=1e-6, **fine)
    for seed in range(3):
        case = linear_case(seed, classes=2)
        rows = zip(case.inputs.flatten(1).numpy(), case.labels.tolist(), strict=True)
        truth = [abs(gap) / np.abs(w).sum() for x, y in rows for w, gap in half_spaces(case.network, x, y)]
        np.testing.assert_allclose(sizes(search, case), truth, rtol=3e-4)


def test_fgsm_is_not_minimal_for_more_classes():
    search = Smallest(budgeted=FGSM(norm="linf"), bounds=None, bisections=8)
    ratios = []
    for seed in range(3):
        case = linear_case(seed, classes=6)
        truth = minimal_sizes(case.network, case.inputs, case.labels, "linf")
        ratios.extend(sizes(search, case) / truth)
    assert np.min(ratios) > 1 - 1e-6
    assert np.mean(np.array(ratios) > 1.01) > 0.2  # the sign of a mixture of rows is not that of the nearest


@pytest.mark.parametrize("bounds", [None, (0.0, 1.0)], ids=["unbounded", "boxed"])
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_an_exact_budgeted_search_becomes_an_exact_minimal_one(norm, bounds):
    pgd = PGD(norm=norm, objective=Margin(), steps=12, step_size=1.0, random_start=False)
    search = Smallest(budgeted=pgd, bounds=bounds, smallest=1e-3, bisections=6)
    for seed in range(2):
        case = linear_case(seed, classes=2, walls=seed % 2)
        truth = minimal_sizes(case.network, case.inputs, case.labels, norm, bounds)
        found = sizes(search, case)
        # A sixty-fourth of an octave, and what the search itself lacks.
        np.testing.assert_allclose(found, truth, rtol=1.3e-2, atol=1e-3)


@pytest.mark.parametrize(("norm", "most"), [("l2", 1.05), ("linf", 1.03)])
@pytest.mark.parametrize("bounds", [None, (0.0, 1.0)], ids=["unbounded", "boxed"])
def test_of_several_classes_it_comes_near_the_nearest(norm, most, bounds):
    pgd = PGD(norm=norm, eps=0.1, steps=20, objective=Margin())
    cases = (linear_case(seed, walls=seed % 2) for seed in range(3))
    ratios = excess(Smallest(budgeted=pgd, bounds=bounds), cases, norm)
    assert np.quantile(ratios, 0.9) <= most


@pytest.mark.parametrize("norm", ["l2", "linf", "l1"])
def test_it_finds_the_distance_to_the_boundary_of_a_ball(norm):
    x = inside_the_ball()
    search = Smallest(budgeted=FGSM(norm=norm, eps=0.3), bounds=None, **fine)
    found = search(Ellipsoid([2.0] * 12), x, torch.zeros(32, dtype=torch.int64))
    np.testing.assert_allclose(found.size, to_the_sphere(x, 2.0, norm), rtol=2e-4)


@dataclass(frozen=True, kw_only=True)
class Wasteful(Budgeted):
    """Reaches every goal with the same change of a tenth, if the budget has room for it."""

    def search(self, network, inputs, goal, rng):
        return Perturbed(inputs + 0.1, unmeasured(inputs))


def brighter(x):
    """Class 1 where the mean is above 0.5999."""
    return torch.stack([0.5999 - x.flatten(1).mean(1), torch.zeros(len(x)).to(x)], 1)


def test_the_size_is_measured_and_a_success_serves_all_budgets_above_it():
    inputs, labels = torch.full((3, 4), 0.5, dtype=torch.float64), torch.zeros(3, dtype=torch.int64)
    network = Counted(brighter)
    found = Smallest(budgeted=Wasteful(eps=0.8), bisections=6)(network, inputs, labels)
    assert ((found.size > 0.0999) & (found.size < 0.1001)).all()
    # Goal, clean, the first success, the failure at half of its size, and bisections between.
    assert network.forwards <= 3 * (1 + 1 + 2 + 6 + 1)


def test_more_bisections_never_find_more_and_a_limit_not_less():
    case = linear_case(5)
    search = Smallest(budgeted=FGSM(), bisections=1)
    found = [sizes(replace(search, bisections=b), case) for b in (1, 3, 6)]
    assert (found[0] >= found[1] - 1e-9).all()
    assert (found[1] >= found[2] - 1e-9).all()
    near = sizes(Smallest(budgeted=FGSM(), largest=0.1), case)
    assert (near >= 0.98 * found[2]).all()  # the limit is no level of the grid
    assert np.isinf(near).any()
    assert (near[np.isfinite(near)] <= 0.1).all()


def test_the_first_budget_only_decides_where_the_grid_lies():
    case = linear_case(3)
    one, other = (sizes(Smallest(budgeted=FGSM(eps=eps), **fine), case) for eps in (0.5, 0.003))
    feasible = np.isfinite(one) & (one > 0.002)
    np.testing.assert_allclose(one[feasible], other[feasible], rtol=3e-4)
    assert np.array_equal(np.isfinite(one), np.isfinite(other))


def test_what_has_reached_its_goal_already_has_size_zero():
    case = linear_case(2)
    there = Goal(case.labels, targeted=True)
    assert (Smallest(budgeted=FGSM())(case.network, case.inputs, case.labels, goal=there).size == 0).all()


@pytest.mark.parametrize(("name", "value"), [("smallest", 0), ("largest", 0.0), ("bisections", 0)])
def test_what_has_no_meaning_is_refused(name, value):
    with pytest.raises(ValueError, match=f"^Smallest: {name} must be"):
        Smallest(budgeted=FGSM(), **{name: value})


def test_a_search_that_refuses_a_budget_is_refused_at_once():
    with pytest.raises(ValueError, match=r"^FGSM: eps 2 is more than the whole range"):
        Smallest(budgeted=FGSM(), largest=2)
    with pytest.raises(ValueError, match=r"^WorstOf: "):
        Smallest(budgeted=WorstOf(members=[FGSM()]))


def test_a_search_that_has_to_learn_is_refused():
    with pytest.raises(ValueError, match=r"^Smallest: UniversalGradient has to learn: give a search that"):
        Smallest(budgeted=UniversalGradient())
