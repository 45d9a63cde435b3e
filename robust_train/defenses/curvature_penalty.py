"""Penalty on the curvature of the loss along its slope."""

from dataclasses import dataclass

from torch import Tensor

from robust_train.defenses.base import Defense, Step
from robust_train.defenses.gradient_penalty import loss_gradient
from robust_train.defenses.schedule import Ramp, at, check_schedule
from robust_train.norms import steepest
from robust_train.types import Network


@dataclass(frozen=True)
class CurvaturePenalty(Defense):
    r"""Keep the loss straight along the direction in which it is attacked.

    .. math:: J_i + \gamma \|\nabla_x J(x_i + h z_i) - \nabla_x J(x_i)\|_2^2, \qquad
        z_i = \frac{\mathrm{sign}\, \nabla_x J(x_i)}{\|\mathrm{sign}\, \nabla_x J(x_i)\|_2}

    The paper fine-tunes trained networks with it while h grows.

    Args:
        weight: Weight gamma of the penalty.
        h: Length of the finite difference in l2, in pixel units; a ramp for one that grows.

    Raises:
        ValueError: A number has no meaning.

    References:
        Robustness via curvature regularization, and vice versa (Moosavi-Dezfooli et al., 2019)

    Example:
        >>> defense = CurvaturePenalty(h=Ramp(0.3, 1.5, until=0.5))
    """

    weight: float | Ramp = 4.0
    h: float | Ramp = 1.5

    def __post_init__(self) -> None:
        check_schedule(self, "weight", zero=True)
        check_schedule(self, "h")

    def loss(self, network: Network, step: Step, loss: Tensor) -> Tensor:
        x, y = step.inputs, step.targets
        h = at(self.h, step.progress)
        g = loss_gradient(network, x, y)
        z = steepest(g.detach().sign(), "l2").view_as(x)
        squares = (loss_gradient(network, x + h * z, y) - g).square().sum(1)
        return loss + at(self.weight, step.progress) * squares
