"""Samples that are reported more than once count once."""

import torch
from torch import Tensor


def distinct(index: Tensor) -> Tensor:
    """Where each distinct index stands first, by ascending index.

    Example:
        >>> distinct(torch.tensor([7, 3, 7, 5]))
        tensor([1, 3, 0])
    """
    order = index.argsort(stable=True)
    ascending = index[order]
    first = torch.ones_like(index, dtype=torch.bool)
    first[1:] = ascending[1:] != ascending[:-1]
    return order[first]
