"""How close a point is to the training points of its class."""

import math

import torch
from torch import Tensor


def log_density(h: Tensor, points: Tensor, filled: Tensor, bandwidth: float) -> Tensor:
    r"""``(N,)`` logarithms of a Gaussian kernel density.

    .. math:: \log \frac{1}{n} \sum_{j=1}^{n} (2 \pi b^2)^{-D/2} \exp\Big(-\frac{\|h - p_j\|_2^2}{2 b^2}\Big)

    Args:
        h: ``(N, D)`` where.
        points: ``(N, P, D)`` of each row.
        filled: ``(N, P)`` 1 for each of the n points that count, 0 for the others.
        bandwidth: Standard deviation b of the kernel.

    Example:
        >>> one = torch.zeros(1, 1, 2), torch.ones(1, 1)
        >>> log_density(torch.zeros(1, 2), *one, bandwidth=1.0).exp()  # 1 / (2 pi)
        tensor([0.1592])
    """
    squares = (h[:, None] - points).square().sum(2)
    exponent = (-squares / (2 * bandwidth**2)).masked_fill(filled == 0, -torch.inf)
    # Without any point the density is 0, of which there is no logarithm: that of one far away.
    exponent = exponent.where((filled > 0).any(1, keepdim=True), -1e4)
    scale = h.shape[1] / 2 * math.log(2 * math.pi * bandwidth**2)
    return exponent.logsumexp(1) - filled.sum(1).clamp_min(1).log() - scale
