"""A layer that passes on a Gaussian draw rather than a value."""

from typing import Literal

from torch import Tensor, nn
from torch.nn.functional import softplus

from robust_train.networks.noise import Noise


class Bottleneck(nn.Module):
    r"""The stochastic code of a variational information bottleneck, from ``(N, 2 K)`` statistics.

    .. math:: z = \mu + \sigma e, \qquad \sigma = \mathrm{softplus}(\rho - 5), \qquad e \sim N(0, I)

    Args:
        decoding: What is passed on in evaluation mode: the ``mean``, or the ``draws`` of ``Noise``.
        seed: Seed of the draws.

    Example:
        >>> import torch
        >>> Bottleneck().eval()(torch.tensor([[1.0, 2.0, 0.0, 0.0]]))
        tensor([[1., 2.]])
    """

    def __init__(self, decoding: Literal["mean", "draws"] = "mean", seed: int = 0) -> None:
        super().__init__()
        if decoding not in ("mean", "draws"):
            raise ValueError(f"Bottleneck: decoding must be mean or draws, not {decoding}.")
        self.decoding, self.noise = decoding, Noise(1.0, seed=seed)

    def forward(self, statistics: Tensor) -> Tensor:
        mu, sigma = self.moments(statistics)
        drawn = self.training or self.decoding == "draws"
        return mu + sigma * self.noise.normal(mu) if drawn else mu

    @staticmethod
    def moments(statistics: Tensor) -> tuple[Tensor, Tensor]:
        """``(N, K)`` mean and standard deviation of the code."""
        mu, rho = statistics.chunk(2, 1)
        return mu, softplus(rho - 5)
