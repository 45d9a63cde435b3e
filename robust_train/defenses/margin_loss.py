"""A loss that asks for a margin."""

import math
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from robust_train.defenses.base import Defense, Step
from robust_train.types import Network


@dataclass(frozen=True)
class MarginLoss(Defense):
    r"""The cross-entropy of logits from which the label's has a margin taken away.

    .. math:: J_i = \tau \, \mathrm{CE}\Big(\frac{f(x_i) - \sqrt 2 \, \epsilon \, y_i}{\tau}, y_i\Big)

    A network of Lipschitz constant 1 is certified to the radius eps where the label leads by
    :math:`\sqrt 2 \epsilon`; its logits cannot grow, so that without the margin and the temperature the
    loss would never come near zero. For networks that can grow it means nothing.

    Args:
        eps: Radius in l2 to be certified, in pixel units.
        temperature: tau: small ones care for samples next to the margin alone.

    Raises:
        ValueError: A number has no meaning.

    References:
        Almost-orthogonal layers for efficient general-purpose Lipschitz networks (Prach and Lampert, 2022)

    Example:
        >>> defense = MarginLoss(eps=0.5)
    """

    eps: float = 1.0
    temperature: float = 0.25

    replaces_loss = True

    def __post_init__(self) -> None:
        if not (self.eps >= 0 and self.temperature > 0):
            raise ValueError("MarginLoss: eps must be at least 0 and temperature positive.")

    def loss(self, network: Network, step: Step, loss: Tensor) -> Tensor:
        z, y = step.logits, step.targets
        share = one_hot(y, z.shape[1]) if y.ndim == 1 else y
        lowered = (z - math.sqrt(2) * self.eps * share) / self.temperature
        return self.temperature * cross_entropy(lowered, y, reduction="none")
