"""How often the prediction changes."""

from torch import Tensor

from robust_train.metrics.base import OutcomeMetric
from robust_train.metrics.estimate import Estimate, rate
from robust_train.types import Outcome


class FoolingRate(OutcomeMetric):
    r"""Share of samples whose *predicted* label changes, right or wrong before.

    .. math:: P(f(T_r(x)) \neq f(x))

    Where a logit is not finite, before or after, there is no label, and nothing has changed. Of a network
    that flags inputs, the label is its class beneath the flag, and the perturbed input has to pass unflagged.

    References:
        Universal adversarial perturbations (Moosavi-Dezfooli et al., 2017)

    Example:
        >>> from robust_train.metrics.example import example_outcome
        >>> metric = FoolingRate()
        >>> metric.update(example_outcome())
        >>> metric.estimate().value
        0.5
    """

    higher_is_better = False

    def per_sample(self, outcome: Outcome) -> Tensor:
        before, after = outcome.decisions, outcome.perturbed_predictions
        changed = (after != before) & (before >= 0) & (after >= 0) & ~outcome.perturbed_flagged
        return changed & outcome.size.isfinite()

    def reduce(self, values: Tensor) -> Estimate:
        return rate(values)
