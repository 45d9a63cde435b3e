"""Arithmetic that half precision is too coarse for."""

import torch
from torch import Tensor


def widened(x: Tensor) -> Tensor:
    """In single precision at least: sums and differences of logits lose too much in half.

    Example:
        >>> widened(torch.zeros(1, dtype=torch.bfloat16)).dtype
        torch.float32
    """
    return x.to(torch.promote_types(x.dtype, torch.float32))
