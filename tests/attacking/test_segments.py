"""Points behind the boundary that are pulled back to it."""

import pytest
import torch

from robust_train.attacking.segments import pull_back
from robust_train.types import Goal


def upwards(x):
    """Logits of a change from class 0 to class 1 where the coordinate exceeds 0.3."""
    return torch.cat([0.3 - x, 0 * x], 1)


@pytest.mark.parametrize("rounds", [0, 1, 10])
def test_they_end_behind_it_by_less_than_the_last_halving(rounds):
    clean, behind = torch.tensor([[0.0], [0.2], [-1.0]]), torch.tensor([[1.0], [0.4], [5.0]])
    found = pull_back(upwards, clean, behind, Goal(torch.zeros(3, dtype=torch.long)), rounds)
    assert (found > 0.3).all()
    assert (found - 0.3 <= (behind - clean) / 2**rounds + 1e-6).all()


def test_where_nothing_between_crosses_they_stay_bit_for_bit():
    clean, behind = torch.rand(5, 3, 2), torch.rand(5, 3, 2)

    def only_there(x):
        there = (x == behind).flatten(1).all(1)[:, None].float()
        return torch.cat([1 - there, there], 1)

    found = pull_back(only_there, clean, behind, Goal(torch.zeros(5, dtype=torch.long)), 8)
    assert torch.equal(found, behind)


def test_without_samples_the_network_is_not_asked():
    none = torch.zeros(0, 4)
    assert pull_back(None, none, none, Goal(torch.zeros(0, dtype=torch.long)), 5).shape == (0, 4)
