"""Arithmetic that half precision is too coarse for."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


def widened(x: Tensor) -> Tensor:
    """In single precision at least: sums and differences of logits lose too much in half.

    Example:
        >>> widened(torch.zeros(1, dtype=torch.bfloat16)).dtype
        torch.float32
    """
    return x.to(torch.promote_types(x.dtype, torch.float32))


@contextmanager
def wide(device: str) -> Iterator[None]:
    """No autocast to float16, in whose narrow range the gradients of images vanish; bfloat16 may stay.

    Args:
        device: Type of the device, such as ``cuda``.

    Example:
        >>> with torch.autocast("cpu", torch.float16), wide("cpu"):
        ...     torch.is_autocast_enabled("cpu")
        False
    """
    narrow = torch.is_autocast_enabled(device) and torch.get_autocast_dtype(device) == torch.float16
    if not narrow:
        yield
        return
    with torch.autocast(device, enabled=False):
        yield
