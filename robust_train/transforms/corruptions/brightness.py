"""More light."""

import torch
from torch import Tensor

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.ladder import ladder


def brightness(inputs: Tensor, severity: Tensor, rng: Streams) -> Tensor:
    r"""Raises the value of each pixel, its largest channel, and keeps hue and saturation.

    .. math:: x_c \mapsto x_c \, \frac{\min(v + b, 1)}{v}, \qquad v = \max_c x_c

    Black becomes grey. In a grey image the value is the pixel: b is added.
    """
    small = [[0.05], [0.10], [0.15], [0.20], [0.30]]
    large = [[0.1], [0.2], [0.3], [0.4], [0.5]]
    (b,) = ladder(inputs, severity, [0.0], small, large)
    value = inputs.amax(1, keepdim=True)
    color = inputs / value.clamp_min(torch.finfo(inputs.dtype).tiny)
    return torch.where(value > 0, color, 1) * (value + b).clamp_max(1)
