"""Median size of minimal perturbations."""

from torch import Tensor

from robust_train.metrics.base import OutcomeMetric
from robust_train.metrics.estimate import Estimate, median
from robust_train.types import Outcome


class MedianSize(OutcomeMetric):
    """Median size, over all samples, in the regime's metric.

    Samples for which none was found have size inf and count as larger than any other: a median of
    inf says that the search failed on most.

    Example:
        >>> from robust_train.metrics.example import example_outcome
        >>> metric = MedianSize()
        >>> metric.update(example_outcome())
        >>> round(metric.estimate().value, 3)
        0.25
    """

    higher_is_better = True

    def per_sample(self, outcome: Outcome) -> Tensor:
        return outcome.size

    def reduce(self, values: Tensor) -> Estimate:
        return median(values)
