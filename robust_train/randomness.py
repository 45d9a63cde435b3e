"""Randomness that belongs to samples: no draw depends on batch-mates, order or processes."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Streams:
    """One random stream per sample, addressed by (seed, sample index, restart, purpose).

    A stream is a counter-based generator (Philox), so that its numbers are the same whatever else
    is drawn, on whatever device they are used. Drawing twice from the same streams gives the same
    numbers: ``fold`` gives a purpose its own.

    Args:
        seed: Seed of the whole evaluation or training run.
        index: ``(N,)`` position of each sample in its data set.
        restart: ``(N,)`` number of the restart that each row belongs to.
        purpose: What the numbers are for; made by ``fold``.

    Example:
        >>> streams = Streams.of(seed=0, index=[7, 8])
        >>> alone = Streams.of(seed=0, index=[8])
        >>> torch.equal(streams.uniform((3,))[1], alone.uniform((3,))[0])
        True
    """

    seed: int
    index: NDArray[np.int64]
    restart: NDArray[np.int64]
    purpose: int = 0

    @classmethod
    def of(cls, seed: int, index: "Tensor | list[int] | range") -> Self:
        """Streams for the samples at these positions of their data set."""
        positions = np.asarray(index.tolist() if isinstance(index, Tensor) else index, np.int64)
        return cls(seed, positions, np.zeros_like(positions))

    def __len__(self) -> int:
        return len(self.index)

    def fold(self, word: int) -> Self:
        """Independent streams for another purpose: a step, a stage, a member."""
        return replace(self, purpose=(self.purpose * 0x9E3779B97F4A7C15 + word + 1) % 2**64)

    def take(self, rows: Tensor) -> Self:
        """The streams of the given rows."""
        kept = rows.cpu().numpy()
        return replace(self, index=self.index[kept], restart=self.restart[kept])

    def repeat(self, restarts: int) -> Self:
        """``restarts`` copies stacked along the batch, each with its own restart number."""
        restart = np.repeat(np.arange(restarts), len(self))
        return replace(self, index=np.tile(self.index, restarts), restart=restart)

    def uniform(self, shape: tuple[int, ...], like: Tensor | None = None) -> Tensor:
        """``(N, *shape)`` numbers, uniform in [0, 1)."""
        return self._draw(shape, like, "random")

    def normal(self, shape: tuple[int, ...], like: Tensor | None = None) -> Tensor:
        """``(N, *shape)`` standard normal numbers."""
        return self._draw(shape, like, "standard_normal")

    def _draw(self, shape: tuple[int, ...], like: Tensor | None, law: str) -> Tensor:
        # Single precision always: a float64 search then sees the very same random start.
        draws = np.empty((len(self), *shape), np.float32)
        for row, (index, restart) in enumerate(zip(self.index, self.restart, strict=True)):
            key = np.array([self.seed % 2**64, index], np.uint64)
            # The two low words of the counter advance with the draws, the others address them.
            counter = np.array([0, 0, restart, self.purpose], np.uint64)
            generator = np.random.Generator(np.random.Philox(key=key, counter=counter))
            draws[row] = getattr(generator, law)(shape, dtype=np.float32)
        values = torch.from_numpy(draws)
        return values if like is None else values.to(like)
