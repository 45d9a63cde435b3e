"""What several processes found, brought together."""

from dataclasses import replace
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed

from robust_train.metrics.distinct import distinct
from robust_train.types import Outcome

T = TypeVar("T")


def rank_and_world() -> tuple[int, int]:
    """This process's rank and the number of processes."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def gather(mine: list[T]) -> list[T]:
    """The items of all processes, on every process; ranks may hold any number of them."""
    _, world = rank_and_world()
    if world == 1:
        return mine
    parts: list[list[T]] = [[] for _ in range(world)]
    distributed.all_gather_object(parts, mine)
    return [item for part in parts for item in part]


def by_index(index: Tensor, *values: Tensor) -> tuple[Tensor, ...]:
    """Rows in the order of their index, each index once."""
    rows = distinct(index)
    return (index[rows], *(value[rows] for value in values))


def merge(outcomes: list[Outcome]) -> Outcome:
    """One outcome of many blocks: every sample once, ordered by index."""
    names = [name for name in Outcome.__dataclass_fields__ if isinstance(getattr(outcomes[0], name), Tensor)]
    columns = by_index(*(torch.cat([getattr(o, name) for o in outcomes]) for name in names))
    rows: dict[str, Any] = dict(zip(names, columns, strict=True))
    return replace(outcomes[0], **rows)
