"""Samples that are done leave the batch."""

from typing import Any

import torch
from torch import Tensor

from robust_train.types import take


class Standing:
    """The rows of a batch that a search still works on.

    Leaving costs a copy of the state, so that rows leave together, once one in 32 of them is done.
    One synchronisation a step, and next to no work on finished samples.

    Args:
        count: Rows of the full batch.
        device: Where they are.

    Example:
        >>> standing = Standing(3)
        >>> x, = standing.drop(torch.tensor([True, False, False]), torch.tensor([1.0, 2.0, 3.0]))
        >>> x, standing.rows
        (tensor([2., 3.]), tensor([1, 2]))
    """

    def __init__(self, count: int, device: torch.device | str = "cpu") -> None:
        self.rows = torch.arange(count, device=device)

    def __len__(self) -> int:
        return len(self.rows)

    def drop(self, done: Tensor, *state: Any) -> tuple[Any, ...]:
        """The state without the rows that are done; ``self.rows`` are the places of the others."""
        left = int((~done).sum())
        if left > len(self) * 31 // 32:
            return state
        keep = (~done).nonzero().squeeze(1)
        self.rows = self.rows[keep]
        return tuple(take(value, keep) for value in state)
