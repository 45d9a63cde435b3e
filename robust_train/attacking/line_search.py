"""The first change of label along paths that start at the inputs."""

from collections.abc import Iterable
from typing import Protocol, Self

import torch
from torch import Tensor

from robust_train.attacking.dropping import Standing


class Paths(Protocol):
    """A path for each row, along which a perturbation grows with its size."""

    def __len__(self) -> int: ...

    def take(self, rows: Tensor) -> Self:
        """The given paths."""

    def changed(self, size: Tensor) -> Tensor:
        """``(M,)`` whether the goal is reached at ``size``, ``(M,)`` float64, on each path."""


def bracket(paths: Paths, sample: Tensor, sizes: Iterable[float]) -> tuple[Tensor, Tensor]:
    """The last size before and the first size behind a change, ``(M,)`` float64; inf where there is none.

    Args:
        paths: One for each row.
        sample: ``(M,)`` number of the sample, counted from 0, that each row belongs to: a change on
            one path of a sample ends the search on its others.
        sizes: To be tried, in ascending order.
    """
    low = torch.zeros(len(sample), dtype=torch.float64, device=sample.device)
    high = torch.full_like(low, torch.inf)
    standing, before = Standing(len(sample), sample.device), 0.0
    for size in sizes:
        rows = standing.rows
        changed = rows[paths.changed(low.new_full((len(rows),), size)) & high[rows].isinf()]
        low[changed], high[changed] = before, size
        done = torch.isin(sample[rows], sample[high.isfinite()])
        (paths,), before = standing.drop(done, paths), size
        if not len(standing):
            break
    return low, high


def bisect(paths: Paths, low: Tensor, high: Tensor, rounds: int) -> Tensor:
    """``(M,)`` sizes behind a change, ``rounds`` halvings of the brackets later, each a forward pass."""
    for _ in range(rounds if len(low) else 0):
        middle = (low + high) / 2
        changed = paths.changed(middle)
        low, high = torch.where(changed, low, middle), torch.where(changed, middle, high)
    return high
