"""The discrete cosine transform: images as sums of waves."""

from math import pi, prod, sqrt

import torch
from torch import Tensor


def dct_matrix(n: int) -> Tensor:
    r"""``(n, n)`` float64 orthonormal DCT-II, frequencies in rows.

    .. math:: C_{kj} = \sqrt{2 / n}\, \cos \frac{\pi k (2 j + 1)}{2 n}, \qquad
        C_{0j} = \sqrt{1 / n}

    References:
        Discrete cosine transform (Ahmed, Natarajan and Rao, 1974)

    Example:
        >>> c = dct_matrix(8)
        >>> torch.allclose(c @ c.T, torch.eye(8, dtype=torch.float64))
        True
    """
    k, j = torch.arange(n, dtype=torch.float64)[:, None], torch.arange(n, dtype=torch.float64)
    matrix = sqrt(2 / n) * torch.cos(pi * k * (2 * j + 1) / (2 * n))
    matrix[0] = sqrt(1 / n)
    return matrix


def dct_vectors(shape: tuple[int, ...], count: int, *, high: bool = False) -> Tensor:
    """``(count, *shape)`` float64 orthonormal waves, in the order of their frequency.

    A wave runs over the last two axes and lives in one channel. Its frequency is the Euclidean
    length of (k / height, l / width); of equal ones, the first channel comes first.

    Args:
        shape: Shape of an image, ``(C, H, W)``; fewer axes will do.
        count: Number of waves.
        high: The waves of the highest frequencies, instead of the lowest, the highest first.

    Example:
        >>> dct_vectors((1, 2, 2), 2)[:, 0]
        tensor([[[ 0.5000,  0.5000],
                 [ 0.5000,  0.5000]],
        <BLANKLINE>
                [[ 0.5000, -0.5000],
                 [ 0.5000, -0.5000]]], dtype=torch.float64)
    """
    height, width = (1, *shape)[-2:]
    channels = prod(shape) // (height * width)
    down, across = torch.arange(height)[:, None] / height, torch.arange(width) / width
    frequency = torch.hypot(down, across).double().flatten().repeat_interleave(channels)
    order = frequency.sort(stable=True, descending=high).indices[:count]
    wave, channel = order // channels, order % channels
    waves = dct_matrix(height)[wave // width][:, :, None] * dct_matrix(width)[wave % width][:, None]
    vectors = waves.new_zeros(len(order), channels, height, width)
    vectors[torch.arange(len(order)), channel] = waves
    return vectors.view(-1, *shape)
