"""Which classes a search runs towards."""

import torch

from robust_train.attacking.aims import aims
from robust_train.types import Goal

LOGITS = torch.tensor([[5.0, 1.0, 3.0, 9.0], [0.0, 7.0, 2.0, 1.0]])
LABELS = torch.tensor([0, 1])


def labels(found):
    return [aim.labels.tolist() for aim in found]


def test_the_likeliest_allowed_classes_come_first_for_each_sample():
    found = aims(LOGITS, Goal(LABELS), 2)
    assert labels(found) == [[3, 2], [2, 3]]
    assert all(aim.targeted for aim in found)


def test_there_are_no_more_than_there_are_classes_and_none_is_the_reject_class():
    assert labels(aims(LOGITS, Goal(LABELS), 9)) == [[3, 2], [2, 3], [1, 0]]
    assert labels(aims(LOGITS, Goal(LABELS, reject=True), 9)) == [[2, 2], [1, 0]]


def test_without_targets_or_with_one_of_its_own_the_goal_is_the_aim():
    goal, targeted = Goal(LABELS), Goal(LABELS, targeted=True)
    assert aims(LOGITS, goal, 0) == [goal]
    assert aims(LOGITS, targeted, 3) == [targeted]
