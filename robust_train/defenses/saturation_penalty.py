"""Penalty on units that are not saturated."""

from dataclasses import dataclass

from torch import Tensor, nn

from robust_train.attacking.stabilising import derivative
from robust_train.defenses.base import Defense, Step
from robust_train.defenses.precision import widened
from robust_train.defenses.recording import Activation
from robust_train.defenses.schedule import Ramp, at, check_schedule
from robust_train.types import Network


@dataclass(frozen=True)
class SaturationPenalty(Defense):
    r"""Drive units to the flat parts of their nonlinearity, where inputs move them little.

    .. math:: J_i + \lambda \sum_l \sum_u \zeta\big(a_{lu}(x_i)\big)

    over the units u of all layers l, with :math:`\zeta(a) = \max(a, 0)` for rectified units and
    :math:`\sigma'(a)` for sigmoids and tanh.

    It was broken: what it stops is the computation of gradients in single precision, and attacks that
    take them otherwise, such as ``Stabilised`` ones, succeed as ever (Brendel and Bethge, 2017). It is here
    so that this can be shown.

    Args:
        weight: Weight lambda of the penalty; a ramp for one that grows.

    Raises:
        ValueError: The weight is negative, or the network has none of these units as a module.

    References:
        Biologically inspired protection of deep networks from adversarial attacks (Nayebi and Ganguli,
        2017)
        Comment on "Biologically inspired protection of deep networks from adversarial attacks"
        (Brendel and Bethge, 2017)

    Example:
        >>> defense = SaturationPenalty(weight=Ramp(0.0, 0.01, until=0.5))
    """

    weight: float | Ramp = 1e-4

    watch = (nn.ReLU, nn.Sigmoid, nn.Tanh)

    def __post_init__(self) -> None:
        check_schedule(self, "weight", zero=True)

    def loss(self, network: Network, step: Step, loss: Tensor) -> Tensor:
        weight = at(self.weight, step.progress)
        return loss + weight * sum(widened(zeta(one)).flatten(1).sum(1) for one in step.activations)


def zeta(activation: Activation) -> Tensor:
    """How far each unit is from a flat part."""
    unit, y = activation.module, activation.outputs
    return y if isinstance(unit, nn.ReLU) else derivative(unit, y)
