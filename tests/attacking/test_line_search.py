"""The first change along paths of which it is known."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from robust_train.attacking.line_search import bisect, bracket
from robust_train.types import Rows


@dataclass(frozen=True, eq=False)
class From(Rows):
    """Paths whose label changes at ``start`` and is back at ``end``."""

    start: Tensor
    end: Tensor
    seen: list

    def __len__(self):
        return len(self.start)

    def changed(self, size):
        self.seen.append(len(size))
        return (size >= self.start) & (size < self.end)


def paths(start, end=None):
    start = torch.tensor(start, dtype=torch.float64)
    return From(start, torch.full_like(start, torch.inf) if end is None else torch.tensor(end), [])


def test_a_bracket_holds_the_change_and_is_inf_without_one():
    low, high = bracket(paths([0.5, 1.0, 3.0, 9.0]), torch.arange(4), [1.0, 2.0, 4.0])
    assert low.tolist() == [0, 0, 2, 0]
    assert high.tolist() == [1, 1, 4, torch.inf]


def test_a_region_thinner_than_the_sizes_tell_apart_is_stepped_over():
    low, high = bracket(paths([1.2], [1.8]), torch.arange(1), [1.0, 2.0])
    assert (low.item(), high.item()) == (0, torch.inf)


def test_the_first_change_counts_where_the_label_comes_back():
    low, high = bracket(paths([1.5], [2.5]), torch.arange(1), [1.0, 2.0, 3.0])
    assert (low.item(), high.item()) == (1, 2)


def test_a_change_on_one_path_ends_the_search_on_the_others_of_its_sample():
    searched = paths([1.0, 9.0, 5.0, 3.0])
    _, high = bracket(searched, torch.tensor([0, 1, 0, 1]), [1.0, 2.0, 4.0, 8.0])
    assert high.tolist() == [1, torch.inf, torch.inf, 4]
    assert searched.seen == [4, 2, 2]


@pytest.mark.parametrize("rounds", [1, 10, 40])
def test_each_halving_halves_the_bracket(rounds):
    searched = paths([0.3, 2.7, 4.0])
    low, high = bracket(searched, torch.arange(3), [1.0, 2.0, 4.0])
    found = bisect(searched, low, high, rounds)
    assert (found >= searched.start).all()
    assert (found - searched.start <= (high - low) / 2**rounds + 1e-15).all()


def test_without_paths_nothing_is_asked():
    searched = paths([])
    assert len(bisect(searched, searched.start, searched.start, 5)) == 0
    assert searched.seen == []
