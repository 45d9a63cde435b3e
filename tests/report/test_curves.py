import math

import pytest
import torch

from robust_train.metrics.robust_accuracy import RobustAccuracy
from robust_train.report.curves import relative_sizes, robust_curve

from .conftest import outcome


@pytest.fixture
def found():
    """Fifty samples of which some are wrong, some sizes are ties and some searches failed."""
    torch.manual_seed(0)
    labels, predictions, perturbed = torch.randint(3, (3, 50)).tolist()
    size = torch.randint(1, 12, (50,)).double() / 4
    size[::7] = math.inf
    return outcome(labels, predictions, perturbed, size.tolist())


def value(curve, radius):
    eps, share = curve
    return float(share[int((eps <= radius).sum()) - 1])


@pytest.mark.parametrize("radius", [0.0, 0.2, 0.25, 0.3, 1.0, 2.75, 9.0])
def test_curve_equals_a_count(found, radius):
    rows = zip(found.labels, found.predictions, found.perturbed_predictions, found.size, strict=True)
    count = sum(bool(y == p and (y == q or r > radius)) for y, p, q, r in rows)
    assert value(robust_curve(found), radius) == pytest.approx(count / 50)


@pytest.mark.parametrize("radius", [0.0, 0.25, 1.1])
def test_curve_agrees_with_the_metric(found, radius):
    metric = RobustAccuracy(eps=radius)
    metric.update(found)
    assert value(robust_curve(found), radius) == pytest.approx(metric.estimate().value)


def test_curve_starts_at_zero_and_ends_with_what_was_not_found():
    eps, share = robust_curve(outcome([0, 0, 0, 0], [0, 0, 0, 1], [1] * 4, [0.0, 0.5, math.inf, 0.5]))
    assert eps.tolist() == [0.0, 0.5]
    assert share.tolist() == [0.5, 0.25]


def test_curve_of_nothing_is_no_number():
    eps, share = robust_curve(outcome([], [], [], []))
    assert eps.tolist() == [0.0]
    assert share.isnan().all()


def test_relative_sizes_are_those_that_an_axis_can_show():
    found = outcome([0] * 4, [0] * 4, [1] * 4, [1.0, math.inf, 0.0, math.nan])
    assert relative_sizes(found).tolist() == [0.5]
