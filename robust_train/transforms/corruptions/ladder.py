"""From a severity to the parameters of a corruption."""

from collections.abc import Sequence

import torch
from torch import Tensor

_SMALL = 64  # pixels


def is_small(inputs: Tensor) -> bool:
    """Whether images have sides that are corrupted as CIFAR-10-C is; larger ones are as ImageNet-C."""
    return max(inputs.shape[2:]) <= _SMALL


def ladder(
    inputs: Tensor,
    severity: Tensor,
    neutral: Sequence[float],
    small: Sequence[Sequence[float]],
    large: Sequence[Sequence[float]],
) -> list[Tensor]:
    r"""Parameters at a real severity: linear between the five published levels, and nothing at 0.

    Args:
        inputs: ``(N, C, H, W)``: their sides say which table counts.
        severity: ``(N,)`` in [0, 5].
        neutral: Parameters at severity 0.
        small: Five levels for small images, each with all parameters.
        large: Likewise for large ones.

    Returns:
        For each parameter ``(N, 1, 1, 1)`` in the dtype of the images.

    Example:
        >>> x = torch.zeros(2, 1, 8, 8)
        >>> table = [[0.1], [0.2], [0.4], [0.6], [0.8]]
        >>> (eps,) = ladder(x, torch.tensor([0.5, 2.5]), [0.0], table, table)
        >>> eps.flatten()
        tensor([0.0500, 0.3000])
    """
    rungs = severity.new_tensor([neutral, *(small if is_small(inputs) else large)])
    below = severity.floor().clamp(0, len(rungs) - 2).long()
    values = torch.lerp(rungs[below], rungs[below + 1], (severity - below)[:, None])
    return [column[:, None, None, None].to(inputs) for column in values.unbind(1)]
