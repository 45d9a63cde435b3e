"""The fast gradient sign method on linear networks."""

import numpy as np
import pytest
import torch

from robust_train import FGSM, CrossEntropy, Goal
from tests.closed_forms import DUAL, ORDER, worst_margins
from tests.toy_networks import linear, linear_case


def margins(attack, case):
    found = attack(case.network, case.inputs, case.labels).inputs
    return -Goal(case.labels).margin(case.network(found)).detach().numpy()


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_two_classes_lose_eps_times_the_dual_norm_of_their_difference(norm):
    case = linear_case(1, classes=2)
    w = case.network[-1].weight.detach()
    before = -Goal(case.labels).margin(case.network(case.inputs)).detach().numpy()
    change = margins(FGSM(norm=norm, eps=0.2, bounds=None), case) - before
    np.testing.assert_allclose(change, 0.2 * np.linalg.norm(w[0] - w[1], ORDER[DUAL[norm]]), rtol=1e-9)


def test_of_two_classes_it_is_the_worst_inside_the_box_too():
    for seed in range(6):
        case = linear_case(seed, classes=2)
        truth = worst_margins(case.network, case.inputs, case.labels, "linf", 0.2, (0.0, 1.0))
        np.testing.assert_allclose(margins(FGSM(eps=0.2), case), truth, rtol=1e-9)


def test_of_many_classes_it_is_not_always_the_worst():
    case = linear_case(7, classes=10)
    truth = worst_margins(case.network, case.inputs, case.labels, "linf", 0.2)
    found = margins(FGSM(eps=0.2, bounds=None), case)
    assert (found <= truth + 1e-12).all()
    assert (found < truth - 1e-3).any()


def test_towards_a_target_the_loss_of_the_target_falls():
    network, inputs = linear((5,), 4), torch.rand(8, 5, dtype=torch.float64)
    goal = Goal(torch.full((8,), 2), targeted=True)
    found = FGSM(eps=0.01)(network, inputs, goal.labels, goal=goal)
    loss = CrossEntropy()
    assert (loss(network(found.inputs), goal) > loss(network(inputs), goal)).all()
