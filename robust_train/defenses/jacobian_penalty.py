"""Penalty on the Jacobian of the logits in the input."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robust_train.attacking.modes import evaluating
from robust_train.defenses.base import Defense, Step
from robust_train.defenses.precision import wide
from robust_train.defenses.schedule import Ramp, at, check_schedule
from robust_train.types import Network


@dataclass(frozen=True)
class JacobianPenalty(Defense):
    r"""Keep all logits flat around what the network is trained on.

    .. math:: J_i + \frac{\lambda}{2} \Big\| \frac{\partial f}{\partial x}(x_i) \Big\|_F^2, \qquad
        \|A\|_F^2 = K\, \mathbb{E}_v \|v^\top A\|_2^2

    for v uniform on the unit sphere of the K logits: a draw or more for each sample stands in for the
    mean, and the penalty is right on average. It is that of the network in evaluation mode.

    Args:
        weight: Weight lambda of the penalty.
        projections: Draws of v for each sample, each a backward pass.

    Raises:
        ValueError: A number has no meaning.

    References:
        Robust learning with Jacobian regularization (Hoffman et al., 2019)

    Example:
        >>> defense = JacobianPenalty(weight=0.1)
    """

    weight: float | Ramp = 0.01
    projections: int = 1

    def __post_init__(self) -> None:
        check_schedule(self, "weight", zero=True)
        if not self.projections > 0:
            raise ValueError(f"JacobianPenalty: projections must be positive, not {self.projections}.")

    def loss(self, network: Network, step: Step, loss: Tensor) -> Tensor:
        x = step.inputs.detach().requires_grad_()
        with evaluating(network), wide(x.device.type):  # which the passes back have to be in as well
            logits = network(x)
            v = step.rng.fold(0x1AC).normal((self.projections, logits.shape[1]), x)
            v = v / v.norm(dim=2, keepdim=True)
            gradients = [
                torch.autograd.grad((v[:, k] * logits).sum(), x, create_graph=True)[0]
                for k in range(self.projections)
            ]
        squares = [g.flatten(1).square().sum(1) for g in gradients]
        return loss + at(self.weight, step.progress) / 2 * logits.shape[1] * torch.stack(squares).mean(0)
