"""McNemar's test against the binomial tail written out."""

from math import comb

import pytest
import torch

from robust_train.metrics.mcnemar import mcnemar


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (1, 0), (3, 7), (7, 3), (12, 1), (5, 5)])
def test_it_is_twice_the_tail_of_a_fair_coin(gained, lost):
    one = torch.tensor([True] * gained + [False] * lost + [True] * 4 + [False] * 3)
    other = torch.tensor([False] * gained + [True] * lost + [True] * 4 + [False] * 3)
    m = gained + lost
    tail = sum(comb(m, k) for k in range(min(gained, lost) + 1)) / 2**m
    assert mcnemar(one, other) == pytest.approx(min(1.0, 2 * tail))
