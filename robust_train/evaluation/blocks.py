"""The order in which a data set is judged: blocks of consecutive positions."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, default_collate


def has_positions(dataset: Any) -> bool:
    """Whether a data set gives its samples by their position, and says how many there are."""
    by_position = hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")
    return by_position and not isinstance(dataset, IterableDataset)


@dataclass(frozen=True)
class Blocks:
    """Block k holds positions kB to (k+1)B, whatever the loader, its order or the processes.

    Args:
        dataset: Anything with a length and items.
        size: Samples in a block, B.
        limit: Judge this many samples, drawn by the seed without regard to their order.
        seed: Seed of that draw.
        collate: Makes a batch of items.
        held: So many samples, drawn by the seed too, are there to learn from and never judged.

    Example:
        >>> [index.tolist() for index, _ in Blocks([0, 1, 2], size=2).of_rank(0, 1)]
        [[0, 1], [2]]
    """

    dataset: Sequence[Any]
    size: int = 128
    limit: int | None = None
    seed: int = 0
    collate: Callable[[list[Any]], Any] = default_collate
    held: int = 0

    def __post_init__(self) -> None:
        for name, number in (("block", self.size), ("limit", self.limit)):
            if number is not None and number < 1:
                raise ValueError(f"{name} must be at least 1 sample, not {number}.")

    def positions(self) -> Tensor:
        """``(n,)`` the positions that are judged, ascending."""
        left = len(self.dataset) - self.held
        return self._drawn(0, left if self.limit is None else min(left, self.limit))

    def held_out(self) -> Tensor:
        """``(held,)`` the positions that are never judged, ascending.

        They come from the end of the draw, so that a limit below judges the same samples without them.
        """
        return self._drawn(len(self.dataset) - self.held, len(self.dataset))

    def _drawn(self, start: int, stop: int) -> Tensor:
        total = len(self.dataset)
        if (start, stop) == (0, total):
            return torch.arange(total)
        # A data set is often sorted by class: its first samples are no fair share of it.
        drawn = np.random.Generator(np.random.Philox(self.seed % 2**64)).permutation(total)[start:stop]
        return torch.from_numpy(np.sort(drawn))

    def of_rank(self, rank: int, world: int) -> Iterator[tuple[Tensor, Any]]:
        """Positions and batches of every ``world``-th block."""
        positions = self.positions()
        for start in range(rank * self.size, len(positions), world * self.size):
            block = positions[start : start + self.size]
            yield block, self._batch([self.dataset[int(i)] for i in block])

    def _batch(self, items: list[Any]) -> Any:
        try:
            return self.collate(items)
        except (TypeError, RuntimeError) as error:
            reason, *_ = str(error).splitlines()
            raise ValueError(
                f"The samples make no batch ({reason}): let the data set give tensors of one size, of "
                "pictures by the transform ToTensor()."
            ) from error

    def __len__(self) -> int:
        return -(-len(self.positions()) // self.size)
