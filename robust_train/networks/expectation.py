"""A stochastic network as the mean of many of its draws."""

from math import log

import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from robust_train.networks.noise import Noise, drawn
from robust_train.networks.rejecting import rejects


class Expectation(nn.Module):
    r"""The logarithm of a network's mean probabilities over so many draws of its noise.

    .. math:: z_k(x) = \log \frac{1}{T} \sum_{t=1}^{T} \mathrm{softmax}_k\big(f(x; e_t)\big)

    It is a network itself, through all of whose draws gradients flow: an attack on it is an attack by
    expectation over transformations. Draws are those of evaluation mode, whatever else the mode is.

    Where the last logit z_f means "flagged", the mean is that of the classes alone, and the flag leads it by
    the mean lead over draws, :math:`\max_k z_k + \frac{1}{T} \sum_t \big(z_f - \max_k z_k\big)(x; e_t)`, so
    that what no draw flags is not flagged.

    Args:
        network: Images to logits, with ``Noise`` in it.
        draws: Number T of draws, each a pass through the network.
        first: Number of the first draw, to judge on others than those that were attacked.

    Raises:
        ValueError: The network has no ``Noise``, or there are no draws.

    References:
        Synthesizing robust adversarial examples (Athalye et al., 2018)

    Example:
        >>> network = Expectation(nn.Sequential(Noise(0.1), nn.Linear(4, 3)), draws=8).eval()
        >>> network(torch.zeros(2, 4)).detach().exp().sum(1).round(decimals=4)
        tensor([1., 1.])
    """

    def __init__(self, network: nn.Module, draws: int = 16, first: int = 0) -> None:
        super().__init__()
        if not draws > 0:
            raise ValueError(f"draws must be positive, not {draws}.")
        if not any(isinstance(module, Noise) for module in network.modules()):
            raise ValueError(
                "The network has no Noise in it, so that all draws are the same: leave draws out and "
                "judge the network itself."
            )
        self.network, self.draws, self.first = network, draws, first

    def forward(self, x: Tensor) -> Tensor:
        return self.mean(self.each(x))

    def each(self, x: Tensor) -> list[Tensor]:
        """``(N, K)`` logits of every draw."""
        return [self._logits(x, draw) for draw in range(self.first, self.first + self.draws)]

    def mean(self, each: list[Tensor]) -> Tensor:
        """``(N, K)`` the logarithm of the mean probabilities of such logits."""
        z = torch.stack(each)
        if not rejects(self.network):
            return _mean(z)
        classes = _mean(z[:, :, :-1])
        lead = (z[:, :, -1] - z[:, :, :-1].amax(2)).mean(0)
        return torch.cat([classes, (classes.amax(1) + lead)[:, None]], 1)

    def _logits(self, x: Tensor, draw: int) -> Tensor:
        with drawn(self.network, draw):
            logits: Tensor = self.network(x)
            return logits


def _mean(each: Tensor) -> Tensor:
    return log_softmax(each, 2).logsumexp(0) - log(len(each))
