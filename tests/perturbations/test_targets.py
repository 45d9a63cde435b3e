"""Searches for a target of a linear network, whose region is a polyhedron, against the distance to it."""

from dataclasses import replace

import numpy as np
import pytest

from robust_train import (
    DDN,
    FAB,
    FMN,
    LBFGS,
    PGD,
    CarliniWagner,
    DeepFool,
    Goal,
    Margin,
    Smallest,
    SuperDeepFool,
)
from tests.closed_forms import minimal_sizes, target_distances
from tests.toy_networks import linear_case

PGD_L2 = PGD(norm="l2", eps=0.1, steps=20, objective=Margin())
# And the ratio to the truth that nine in ten samples do not exceed.
SEARCHES = [
    (DeepFool(overshoot=1e-5), 1.04),
    (SuperDeepFool(), 1.04),
    (FAB(), 1.01),
    (LBFGS(binary_search_steps=20, steps=10), 1.2),
    (CarliniWagner(steps=200, learning_rate=0.05, initial_const=1.0), 1.1),
    (DDN(), 1.25),
    (DDN(start=DeepFool(bounds=None)), 1.05),
    (FMN(), 1.2),
    (Smallest(budgeted=PGD_L2), 1.02),
]


def label(value):
    started = "-started" if getattr(value, "start", None) else ""
    return type(value).__name__ + started if hasattr(value, "norm") else ""


@pytest.mark.parametrize(("search", "ratio"), SEARCHES, ids=label)
def test_it_comes_near_a_target_among_several_classes(search, ratio):
    ratios = []
    for seed in range(3):
        case = linear_case(seed, classes=4)
        target = Goal((case.labels + 1) % 4, targeted=True)
        truth = target_distances(case.network, case.inputs, target.labels)
        found = replace(search, bounds=None)(case.network, case.inputs, case.labels, goal=target)
        ratios.extend(found.size.numpy() / truth)
    assert min(ratios) >= 1 - 1e-9
    assert np.quantile(ratios, 0.9) <= ratio


def test_the_nearest_of_all_targets_is_the_smallest_perturbation():
    case = linear_case(1, classes=5)
    each = [target_distances(case.network, case.inputs, (case.labels + k) % 5) for k in range(1, 5)]
    truth = minimal_sizes(case.network, case.inputs, case.labels, "l2")
    np.testing.assert_allclose(np.min(each, axis=0), truth, rtol=1e-9)
