"""Accuracy on the clean inputs."""

from torch import Tensor

from robust_train.metrics.base import OutcomeMetric
from robust_train.metrics.estimate import Estimate, rate
from robust_train.types import Outcome


class Accuracy(OutcomeMetric):
    r"""Share of samples whose clean prediction is the label: one minus the review's risk.

    .. math:: P(f(x) = y)

    Predictions that are not finite are never correct.

    Example:
        >>> from robust_train.metrics.example import example_outcome
        >>> metric = Accuracy()
        >>> metric.update(example_outcome())
        >>> metric.estimate().value
        0.75
    """

    higher_is_better = True

    def per_sample(self, outcome: Outcome) -> Tensor:
        return outcome.predictions == outcome.labels

    def reduce(self, values: Tensor) -> Estimate:
        return rate(values)
