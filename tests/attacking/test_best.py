"""Only what is better replaces what is there."""

import torch

from robust_train.attacking.best import Best


def test_the_larger_score_wins_row_by_row():
    best = Best(torch.zeros(3, 1))
    best.update(torch.tensor([0, 2]), torch.tensor([[1.0], [2.0]]), torch.tensor([0.5, -1.0]))
    best.update(torch.tensor([2, 0]), torch.tensor([[3.0], [4.0]]), torch.tensor([0.0, 0.1]))
    assert best.inputs.squeeze(1).tolist() == [1.0, 0.0, 3.0]
    assert best.score.tolist() == [0.5, -torch.inf, 0.0]


def test_ties_nan_and_minus_infinity_change_nothing():
    best = Best(torch.zeros(3, 1))
    best.update(torch.tensor([0]), torch.ones(1, 1), torch.tensor([1.0]))
    best.update(torch.arange(3), torch.full((3, 1), 9.0), torch.tensor([1.0, torch.nan, -torch.inf]))
    assert best.inputs.squeeze(1).tolist() == [1.0, 0.0, 0.0]


def test_the_inputs_themselves_are_not_written_to():
    inputs = torch.zeros(2, 1)
    Best(inputs).update(torch.arange(2), torch.ones(2, 1), torch.ones(2))
    assert inputs.sum() == 0
