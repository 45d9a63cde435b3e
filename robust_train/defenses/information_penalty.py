"""Penalty on what a stochastic code tells of the image."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robust_train.defenses.base import Defense, Step
from robust_train.defenses.precision import widened
from robust_train.defenses.recording import Activation
from robust_train.networks.bottleneck import Bottleneck
from robust_train.types import Network


@dataclass(frozen=True)
class InformationPenalty(Defense):
    r"""Hold the code of a variational information bottleneck near a standard normal one.

    .. math:: J_i + \beta\, \mathrm{KL}\big(p(z | x_i) \,\|\, N(0, I)\big), \qquad
        \mathrm{KL} = \tfrac{1}{2} \sum_k \mu_k^2 + \sigma_k^2 - 1 - \log \sigma_k^2

    The cross-entropy is that of one draw of the code for each image. What became of the claim that this
    makes networks robust is told by ``VIB``.

    Args:
        beta: Weight of the divergence.

    Raises:
        ValueError: The weight is negative, or the network has no ``Bottleneck``, as ``VIB`` has.

    References:
        Deep variational information bottleneck (Alemi et al., 2017)

    Example:
        >>> defense = InformationPenalty(beta=0.01)
    """

    beta: float = 1e-3

    watch = (Bottleneck,)

    def __post_init__(self) -> None:
        if not self.beta >= 0:
            raise ValueError(f"InformationPenalty: beta must be at least 0, not {self.beta}.")

    def loss(self, network: Network, step: Step, loss: Tensor) -> Tensor:
        return loss + self.beta * sum(_divergence(one) for one in step.activations)


def _divergence(activation: Activation) -> Tensor:
    """``(N,)`` from the standard normal law."""
    mu, sigma = Bottleneck.moments(widened(activation.inputs))
    least = torch.finfo(sigma.dtype).tiny  # far below, softplus is 0 and its logarithm has no slope
    return 0.5 * (mu.square() + sigma.square() - 1 - 2 * sigma.clamp_min(least).log()).sum(1)
