"""A lens out of focus."""

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.ladder import is_small
from robust_train.transforms.corruptions.per_sample import convolve


def defocus_blur(inputs: Tensor, severity: Tensor, rng: Streams) -> Tensor:
    """Spreads each pixel over a disk, whose edge is softened by a Gaussian.

    A disk of pixels grows by leaps, so that between two levels their kernels are interpolated.
    """
    # Of the disk and of the Gaussian, in pixels.
    small = [(0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1.0, 0.2), (1.5, 0.1)]
    large = [(3.0, 0.1), (4.0, 0.5), (6.0, 0.5), (8.0, 0.5), (10.0, 0.5)]
    levels = [(0.0, 0.1), *(small if is_small(inputs) else large)]
    disks = torch.stack([_disk(radius, width, int(levels[-1][0]) + 2) for radius, width in levels])
    level = torch.arange(len(levels), dtype=severity.dtype, device=severity.device)
    share = (1 - (severity[:, None] - level).abs()).clamp_min(0)
    return convolve(inputs, torch.einsum("nl,lij->nij", share, disks.to(share)).to(inputs))


def _disk(radius: float, width: float, reach: int) -> Tensor:
    """``(2 * reach + 1, 2 * reach + 1)`` float64, of sum 1."""
    u = torch.arange(-reach, reach + 1, dtype=torch.float64)
    disk = (torch.hypot(u[:, None], u) <= radius).double()
    edge = 1 if radius <= 8 else 2  # pixels that the Gaussian reaches
    v = torch.arange(-edge, edge + 1, dtype=torch.float64)
    gaussian = torch.exp(-(v[:, None].square() + v.square()) / (2 * width**2))
    soft = conv2d(disk[None, None], gaussian[None, None], padding=edge)[0, 0]
    return soft / soft.sum()
