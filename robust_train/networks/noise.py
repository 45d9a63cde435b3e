"""Gaussian noise whose draws are known by their number."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


class Noise(nn.Module):
    r"""Add Gaussian noise to what passes through.

    .. math:: x \mapsto x + \sigma e, \qquad e \sim N(0, I)

    In evaluation mode the noise is a function of seed, layer and the number of the draw alone, the same
    for every row, so that no sample depends on its batch-mates; ``drawn`` chooses the draw, which is 0
    unless it does. In training mode every pass draws anew, for each row its own, by a count that is
    saved with the weights; the rows of different processes differ. The global random state is left alone.

    Args:
        sigma: Standard deviation of the noise.
        layer: Number that tells the noise layers of a network apart.
        seed: Seed of all draws.

    Raises:
        ValueError: The standard deviation is negative.

    Example:
        >>> noise = Noise(sigma=0.1).eval()
        >>> x = torch.zeros(2, 3)
        >>> with drawn(noise, 5):
        ...     y = noise(x)
        >>> torch.equal(y[0], y[1]), torch.equal(y, noise(x))
        (True, False)
    """

    count: Tensor

    def __init__(self, sigma: float = 1.0, layer: int = 0, seed: int = 0) -> None:
        super().__init__()
        if not sigma >= 0:
            raise ValueError(f"Noise: sigma must be at least 0, not {sigma}.")
        self.sigma, self.layer, self.seed, self.draw = sigma, layer, seed, 0
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.sigma * self.normal(x)

    def normal(self, like: Tensor) -> Tensor:
        """Standard normal numbers: ``(1, ...)`` of the current draw, or ``(N, ...)`` new ones in training."""
        if not self.training:
            return self._draw((1, *like.shape[1:]), self.draw, 0).to(like)
        self.count += 1
        return self._draw(tuple(like.shape), int(self.count), 1 + _rank()).to(like)

    def _draw(self, shape: tuple[int, ...], number: int, stream: int) -> Tensor:
        # Layers count from the far end: from the near one, the streams of samples do.
        key = np.array([self.seed % 2**64, 2**64 - 1 - self.layer], np.uint64)
        # The two low words of the counter advance with the numbers, the others address them.
        counter = np.array([0, 0, number, stream], np.uint64)
        generator = np.random.Generator(np.random.Philox(key=key, counter=counter))
        return torch.from_numpy(generator.standard_normal(shape, dtype=np.float32))

    def extra_repr(self) -> str:
        return f"sigma={self.sigma}, layer={self.layer}, seed={self.seed}"


@contextmanager
def drawn(network: Any, draw: int) -> Iterator[None]:
    """A network at one draw of all of its noise, as in evaluation mode; each layer gets its own back."""
    noises = [m for m in network.modules() if isinstance(m, Noise)] if isinstance(network, nn.Module) else []
    before = [(noise.draw, noise.training) for noise in noises]
    try:
        for noise in noises:
            noise.draw, noise.training = draw, False
        yield
    finally:
        for noise, own in zip(noises, before, strict=True):
            noise.draw, noise.training = own


def _rank() -> int:
    distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
    return torch.distributed.get_rank() if distributed else 0
