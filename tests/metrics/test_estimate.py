"""Estimates and intervals against scipy and against what they promise."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import binom, binomtest, norm

from robust_train.metrics.estimate import mean, median, rate, rate_over_draws

INF = float("inf")


@pytest.mark.parametrize("n", [1, 2, 7, 100, 1797])
def test_the_interval_of_a_rate_is_wilson_s(n):
    for hits in {0, 1, n // 3, n}:
        found = rate(torch.arange(n) < hits)
        truth = binomtest(hits, n).proportion_ci(method="wilson")
        assert (found.value, found.n) == (hits / n, n)
        assert (found.low, found.high) == pytest.approx((truth.low, truth.high), abs=1e-12)


def test_a_rate_of_nothing_may_be_anything():
    found = rate(torch.zeros(0, dtype=torch.bool))
    assert math.isnan(found.value)
    assert (found.low, found.high, found.n) == (0.0, 1.0, 0)


@pytest.mark.parametrize(
    ("values", "middle"),
    [
        ([3.0], 3.0),
        ([1.0, 2.0], 1.5),
        ([5.0, 1.0, 2.0], 2.0),
        ([1.0, INF], INF),
        ([1.0, 2.0, INF, INF], INF),
        ([1.0, 2.0, 3.0, INF], 2.5),
        ([INF, INF], INF),
    ],
)
def test_medians_of_censored_values(values, middle):
    found = median(torch.tensor(values))
    assert (found.value, found.n) == (middle, len(values))
    assert found.low <= found.value <= found.high


@pytest.mark.parametrize("n", [10, 25, 200])
def test_the_interval_of_a_median_covers_it_as_often_as_it_says(n):
    draws = torch.from_numpy(np.random.default_rng(0).exponential(size=(1000, n)))
    found = [median(row.masked_fill(row > 2, INF)) for row in draws]  # one in seven is censored
    covered = np.mean([e.low <= math.log(2) <= e.high for e in found])
    assert 0.93 <= covered <= 0.99


def test_the_interval_of_a_median_is_that_of_the_binomial_law():
    for n in (*range(6, 100), 1797):
        found = median(torch.arange(1.0, n + 1))
        lowest = max(1, binom.ppf(0.025, n, 0.5))
        assert found.low == pytest.approx(lowest, abs=1)  # by its normal approximation
        assert found.low + found.high == n + 1  # no tail is favoured


def test_of_few_values_a_median_has_no_finite_interval():
    for n in range(1, 6):  # which enclose it with 1 - 2^(1 - n) at the most: less than 95 %
        found = median(torch.arange(1.0, n + 1))
        assert (found.low, found.high) == (-INF, INF)


def test_no_samples_have_no_share_in_any_number_of_draws():
    found = rate_over_draws(torch.zeros(0, 3))
    assert (found.low, found.high, found.n) == (0.0, 1.0, 0)
    assert math.isnan(found.value)


@pytest.mark.parametrize("n", [30, 500])
def test_the_interval_of_a_mean_is_the_normal_one(n):
    values = torch.randn(n, dtype=torch.float64)
    found = mean(values)
    low, high = norm.interval(0.95, values.mean(), values.std() / n**0.5)
    assert found.value == pytest.approx(values.mean().item())
    assert (found.low, found.high) == pytest.approx((low, high))


def test_a_mean_of_one_value_has_no_finite_interval():
    assert (mean(torch.tensor([2.0])).low, mean(torch.tensor([2.0])).high) == (-INF, INF)


@pytest.mark.parametrize("bad", [INF, math.nan])
def test_a_mean_of_censored_values_is_refused(bad):
    found = mean(torch.tensor([1.0, bad]))
    assert math.isnan(found.value)
    assert found.n == 2
