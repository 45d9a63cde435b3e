"""Metrics over outcomes: rates, medians and means, each with n and an interval."""

from robust_train.metrics.accuracy import Accuracy
from robust_train.metrics.estimate import Estimate
from robust_train.metrics.fooling_rate import FoolingRate
from robust_train.metrics.median_size import MedianSize
from robust_train.metrics.relative_size import RelativeSize
from robust_train.metrics.robust_accuracy import RobustAccuracy

__all__ = ["Accuracy", "Estimate", "FoolingRate", "MedianSize", "RelativeSize", "RobustAccuracy"]
