"""Penalty on the slope of the loss in the input."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from robust_train.attacking.modes import evaluating
from robust_train.defenses.base import Defense, Step
from robust_train.defenses.precision import wide
from robust_train.defenses.schedule import Ramp, at, check_schedule
from robust_train.types import Network


@dataclass(frozen=True)
class GradientPenalty(Defense):
    r"""Keep the loss flat around what the network is trained on.

    .. math:: J_i + \lambda \|\nabla_x J(f(x_i), y_i)\|_2^2

    It costs a second forward pass, and a backward pass through a backward pass. The slope is that of
    the network in evaluation mode: no dropout, and no other sample, has a share in it.

    Args:
        weight: Weight lambda of the penalty.

    Raises:
        ValueError: The weight is negative.

    References:
        Improving the adversarial robustness and interpretability of deep neural networks by
        regularizing their input gradients (Ross and Doshi-Velez, 2018)

    Example:
        >>> defense = GradientPenalty(weight=10.0)
    """

    weight: float | Ramp = 1.0

    def __post_init__(self) -> None:
        check_schedule(self, "weight", zero=True)

    def loss(self, network: Network, step: Step, loss: Tensor) -> Tensor:
        squares = loss_gradient(network, step.inputs, step.targets).square().sum(1)
        return loss + at(self.weight, step.progress) * squares


def loss_gradient(network: Network, x: Tensor, targets: Tensor) -> Tensor:
    r"""``(N, D)`` gradients :math:`\nabla_x J(f(x_i), y_i)`, of which others can be taken."""
    x = x.detach().requires_grad_()
    with evaluating(network), wide(x.device.type):  # which the pass back has to be in as well
        loss = cross_entropy(network(x), targets, reduction="sum")
        (g,) = torch.autograd.grad(loss, x, create_graph=True)
    return g.flatten(1)
