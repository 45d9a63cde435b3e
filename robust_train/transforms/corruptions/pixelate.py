"""Fewer and larger pixels."""

import torch
from torch import Tensor

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.ladder import ladder


def pixelate(inputs: Tensor, severity: Tensor, rng: Streams) -> Tensor:
    r"""Averages the image over cells that are 1 / s pixels wide and high, and reads them off in pixels.

    A pixel that lies in several cells is the mean of theirs, by area; the benchmark takes the
    nearest of a whole number of cells instead, which makes leaps as s changes.
    """
    small = [[0.95], [0.90], [0.85], [0.75], [0.65]]
    large = [[0.6], [0.5], [0.4], [0.3], [0.25]]
    (share,) = ladder(inputs, severity, [1.0], small, large)
    down, across = (_there_and_back(side, share) for side in inputs.shape[2:])
    return down @ inputs @ across


def _there_and_back(pixels: int, share: Tensor) -> Tensor:
    """``(N, 1, pixels, pixels)`` symmetric: from the pixels of a line to cells and back."""
    edges = torch.arange(pixels + 1, dtype=share.dtype, device=share.device)
    cells = (edges[:, None] / share).clamp_max(pixels)  # (N, 1, pixels + 1, 1)
    overlap = torch.minimum(cells[..., 1:, :], edges[1:]) - torch.maximum(cells[..., :-1, :], edges[:-1])
    overlap = overlap.clamp_min(0)  # of cell and pixel
    width = overlap.sum(-1, keepdim=True).clamp_min(torch.finfo(share.dtype).tiny)
    return overlap.mT @ (overlap / width)
