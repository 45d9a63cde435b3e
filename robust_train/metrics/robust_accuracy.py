"""Accuracy that survives perturbations within a budget."""

from typing import Any

from torch import Tensor

from robust_train.metrics.base import OutcomeMetric
from robust_train.metrics.estimate import Estimate, rate
from robust_train.types import Outcome


class RobustAccuracy(OutcomeMetric):
    r"""Share of all samples that are right, and stay so under perturbations of at most eps.

    .. math:: P(f(x) = y \;\text{and}\; f(T_r(x)) = y \;\text{for the found}\; \|r\| \le \epsilon)

    Every search can miss, so that this is an upper bound of the true figure. From a minimal
    search it can be read at any eps. Of a network that flags inputs, a clean one that is flagged is not
    right, and a perturbed one that is flagged did no harm.

    Args:
        eps: The budget; ``None`` to count perturbations of any finite size.

    Example:
        >>> from robust_train.metrics.example import example_outcome
        >>> metric = RobustAccuracy(eps=0.15)
        >>> metric.update(example_outcome())
        >>> metric.estimate().value
        0.5
    """

    higher_is_better = True

    def __init__(self, eps: float | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.eps = float("inf") if eps is None else eps

    def per_sample(self, outcome: Outcome) -> Tensor:
        within = outcome.size.isfinite() & (outcome.size <= self.eps)
        return (outcome.predictions == outcome.labels) & ~(outcome.deceived & within)

    def reduce(self, values: Tensor) -> Estimate:
        return rate(values)
