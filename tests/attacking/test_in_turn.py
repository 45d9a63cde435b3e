"""Candidates in turn against all candidates at once."""

import pytest
import torch

from robust_train import Goal
from robust_train.attacking.gradients import Counted
from robust_train.attacking.in_turn import first_reached

SCORES = torch.tensor([[3.0, 2.0, 4.0], [1.0, -1.0, -2.0], [5.0, 5.0, -1.0], [-1.0, -3.0, 9.0]])


def two_logits(scores):
    return torch.cat([scores, torch.zeros_like(scores)], 1)


@pytest.mark.parametrize("copies", [1, 100])
@pytest.mark.parametrize(("drop", "places"), [(True, [1, 1, 2, 0]), (False, [1, 2, 2, 1])])
def test_the_first_success_counts_or_else_the_smallest_margin(copies, drop, places):
    scores = SCORES.repeat(copies, 1)
    goal = Goal(torch.zeros(len(scores), dtype=torch.int64))

    def candidates(rows, at):
        return scores[rows[:, None], at].flatten()[:, None]

    network = Counted(two_logits)
    place, margin = first_reached(network, goal, 3, candidates, drop)
    assert place.tolist() == places * copies
    torch.testing.assert_close(margin, scores.gather(1, place[:, None]).squeeze(1).double())
    if copies > 64:
        assert network.forwards == (4 + 3 + 2 if drop else 12) * copies


def test_logits_that_are_not_finite_are_no_success():
    goal = Goal(torch.zeros(2, dtype=torch.int64))
    bad = torch.tensor([[torch.nan, 1.0], [torch.inf, torch.nan]])
    place, margin = first_reached(two_logits, goal, 2, lambda rows, at: bad[rows[:, None], at].view(-1, 1))
    assert margin.tolist() == [1.0, torch.inf]
    assert place[0] == 1
