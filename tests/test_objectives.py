"""Objectives by hand, and what they share."""

import inspect
import math

import pytest
import torch

from robust_train import DLR, CrossEntropy, Goal, Margin, Objective, objectives

EVERY = [CrossEntropy(), Margin(), DLR()]
every = pytest.mark.parametrize("objective", EVERY, ids=lambda o: type(o).__name__)
logits = torch.tensor([[4.0, 3.0, 2.0, 0.0], [1.0, 5.0, 2.0, 0.0]], dtype=torch.float64)
leave = Goal(torch.tensor([0, 0]))
reach = Goal(torch.tensor([1, 1]), targeted=True)


def close(found, expected):
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))


def test_every_objective_is_here():
    exported = {getattr(objectives, name) for name in objectives.__all__}
    assert {kind for kind in exported if not inspect.isabstract(kind)} == {type(o) for o in EVERY}
    assert set(Objective.__subclasses__()) >= {type(o) for o in EVERY}


def test_cross_entropy_by_hand():
    total = [math.log(sum(math.exp(z) for z in row)) for row in logits.tolist()]
    close(CrossEntropy()(logits, leave), [total[0] - 4, total[1] - 1])
    close(CrossEntropy()(logits, reach), [3 - total[0], 5 - total[1]])


def test_margin_by_hand():
    close(Margin()(logits, leave), [3 - 4, 5 - 1])
    close(Margin()(logits, reach), [3 - 4, 5 - 2])


def test_dlr_by_hand():
    close(DLR()(logits, leave), [-1 / (4 - 2), 4 / (5 - 1)])
    close(DLR()(logits, reach), [-1 / (4 - (2 + 0) / 2), 3 / (5 - (1 + 0) / 2)])


def test_dlr_of_two_and_of_three_classes():
    close(DLR()(logits[:, :2], leave), [-1.0, 4.0])
    close(DLR()(logits[:, :2], reach), [-1.0, 4.0])
    close(DLR()(logits[:, :3], leave), [-1 / 2, 4 / 4])


def test_a_rejecting_class_is_avoided_too():
    goal = Goal(torch.tensor([0, 0]), reject=True)
    close(Margin()(torch.tensor([[1.0, 3.0, 9.0], [1.0, 3.0, 0.0]], dtype=torch.float64), goal), [-6.0, 2.0])


def test_the_cross_entropy_of_a_goal_that_rejects_leaves_label_and_flag_together():
    goal, z = Goal(torch.tensor([0]), reject=True), torch.tensor([[1.0, 3.0, 2.0]], dtype=torch.float64)
    p = z.softmax(1)[0]
    close(CrossEntropy()(z, goal), [-float((p[0] + p[2]).log())])


@pytest.mark.parametrize("lead", [15.0, 20.0, 60.0])
def test_a_flag_that_leads_by_far_still_has_a_gradient_in_single_precision(lead):
    z = torch.tensor([[0.0, 4.0, 4.0 + lead]], requires_grad=True)
    (gradient,) = torch.autograd.grad(CrossEntropy()(z, Goal(torch.tensor([0]), reject=True)).sum(), z)
    torch.testing.assert_close(gradient * math.exp(lead), torch.tensor([[0.0, 1.0, -1.0]]), atol=1e-4, rtol=0)


@every
@pytest.mark.parametrize("classes", [2, 3, 4, 10])
@pytest.mark.parametrize("targeted", [False, True])
def test_the_gradient_leads_to_the_goal_wherever_it_is_not_reached(objective, classes, targeted):
    z = torch.randn(64, classes, dtype=torch.float64, requires_grad=True)
    goal = Goal(torch.arange(64) % classes, targeted=targeted)
    (gradient,) = torch.autograd.grad(objective(z, goal).sum(), z)
    sign = 1 if targeted else -1
    assert gradient.isfinite().all()
    assert (sign * gradient.gather(1, goal.labels[:, None])[~goal.reached(z)] > 0).all()


@every
@pytest.mark.parametrize("targeted", [False, True])
def test_a_constant_added_to_all_logits_changes_nothing(objective, targeted):
    z, goal = torch.randn(16, 5, dtype=torch.float64), Goal(torch.arange(16) % 5, targeted=targeted)
    assert objective(z, goal).shape == (16,)
    torch.testing.assert_close(objective(z + 7, goal), objective(z, goal))


@every
def test_rows_do_not_mix(objective):
    z, goal = torch.randn(8, 5), Goal(torch.arange(8) % 5)
    for row in range(8):
        alone = objective(z[row : row + 1], goal.take(torch.tensor([row])))
        assert torch.equal(alone, objective(z, goal)[row : row + 1])


@pytest.mark.parametrize("objective", [Margin(), DLR()], ids=["Margin", "DLR"])
@pytest.mark.parametrize("targeted", [False, True])
def test_it_is_positive_exactly_where_the_goal_is_reached(objective, targeted):
    z = torch.randn(64, 6)
    goal = Goal(torch.arange(64) % 6, targeted=targeted)
    assert torch.equal(objective(z, goal) > 0, goal.reached(z))


def test_dlr_is_free_of_the_scale_of_the_logits():
    torch.testing.assert_close(DLR()(1000 * logits, leave), DLR()(logits, leave))
    assert DLR()(torch.ones(2, 4), leave).isfinite().all()
