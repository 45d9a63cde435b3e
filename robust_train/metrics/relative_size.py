"""Size of minimal perturbations relative to the image."""

from torch import Tensor

from robust_train.metrics.base import OutcomeMetric
from robust_train.metrics.estimate import Estimate, mean
from robust_train.types import Outcome


class RelativeSize(OutcomeMetric):
    r"""Mean size over the l2 norm of the image: the review's global robustness, eq. 3.

    .. math:: \rho(f) = \frac{1}{n} \sum_i \frac{\|r^*(x_i)\|}{\|x_i\|_2}

    A mean of censored values has no meaning: it is NaN as soon as one sample has no perturbation or is black.

    References:
        DeepFool: a simple and accurate method to fool deep neural networks (Moosavi-Dezfooli,
        Fawzi and Frossard, 2016)

    Example:
        >>> from robust_train.metrics.example import example_outcome
        >>> metric = RelativeSize()
        >>> metric.update(example_outcome())
        >>> metric.estimate().value
        nan
    """

    higher_is_better = True

    def per_sample(self, outcome: Outcome) -> Tensor:
        return outcome.size / outcome.scale

    def reduce(self, values: Tensor) -> Estimate:
        return mean(values)
