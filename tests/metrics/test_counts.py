"""Every metric against a count by hand."""

import math
from dataclasses import replace

import pytest

from robust_train import Accuracy, FoolingRate, MedianSize, RelativeSize, RobustAccuracy
from tests.metrics.outcomes import INF, NONE, SIX, outcome


def value(metric, found):
    metric.update(found)
    assert metric.compute().item() == pytest.approx(metric.estimate().value, nan_ok=True)
    return metric.estimate().value


def test_accuracy_counts_what_is_right_and_finite():
    assert value(Accuracy(), SIX) == pytest.approx(4 / 6)
    assert value(Accuracy(), outcome([0, 0], [-1, 0], [0, 0], [0, 0])) == 0.5


@pytest.mark.parametrize(("eps", "stand"), [(0.05, 4), (0.1, 3), (1.0, 3), (5.0, 2), (None, 2), (INF, 2)])
def test_robust_accuracy_at_any_eps(eps, stand):
    assert value(RobustAccuracy(eps), SIX) == pytest.approx(stand / 6)


def test_what_is_flagged_is_neither_right_nor_deceived():
    # The last of four classes is the flag: passes, is caught, is caught clean, loses its flag.
    found = replace(outcome([0, 0, 0, 0], [0, 0, 3, 3], [1, 3, 1, 0], [0.1] * 4), reject=True)
    assert value(Accuracy(), found) == 0.5
    assert value(RobustAccuracy(), found) == 0.25
    assert found.deceived.tolist() == [True, False, True, False]
    assert found.decisions.tolist() == [0, 0, 0, 0]
    assert value(FoolingRate(), found) == 0.5


def test_a_prediction_that_is_not_finite_is_broken():
    assert value(RobustAccuracy(), outcome([0], [0], [-1], [0.1])) == 0.0


def test_a_change_of_size_inf_or_nan_breaks_nothing():
    assert value(RobustAccuracy(), outcome([0, 0], [0, 0], [1, 1], [INF, math.nan])) == 1.0


def test_the_fooling_rate_counts_changes_of_the_prediction():
    # The first, the third and the wrong one change theirs; the one of NaNs stays as it is.
    assert value(FoolingRate(), SIX) == pytest.approx(3 / 6)
    # Back to the true label is a change, too; a change of size inf was not found.
    assert value(FoolingRate(), outcome([0, 0], [1, 1], [0, 0], [0.1, INF])) == 0.5


def test_the_median_counts_the_censored_as_largest():
    assert value(MedianSize(), SIX) == pytest.approx((0.2 + 0.3) / 2)
    assert value(MedianSize(), outcome([0] * 3, [0] * 3, [0] * 3, [INF, INF, 1.0])) == INF
    assert value(MedianSize(), outcome([0] * 3, [0] * 3, [0] * 3, [INF, 2.0, 1.0])) == 2.0


def test_the_relative_size_is_a_mean_and_refuses_censored_values():
    assert value(RelativeSize(), outcome([0] * 2, [0] * 2, [1] * 2, [1.0, 3.0], scale=4.0)) == 0.5
    assert math.isnan(value(RelativeSize(), SIX))


@pytest.mark.parametrize("kind", [Accuracy, RobustAccuracy, FoolingRate, MedianSize, RelativeSize])
def test_nothing_has_no_value(kind):
    for metric in (kind(), kind()):
        if metric.update_called:
            metric.update(NONE)
        assert math.isnan(metric.estimate().value)
        assert metric.estimate().n == 0


def test_the_fooling_rate_wants_a_prediction_on_both_sides():
    assert value(FoolingRate(), outcome([0] * 4, [0, -1, -1, 0], [-1, 0, -1, 1], [0.1] * 4)) == 0.25
