"""Less contrast."""

from torch import Tensor

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.ladder import ladder


def contrast(inputs: Tensor, severity: Tensor, rng: Streams) -> Tensor:
    r"""Draws each pixel towards the mean of its channel, :math:`\bar x_c + s \, (x_c - \bar x_c)`."""
    small = [[0.75], [0.50], [0.40], [0.30], [0.15]]
    large = [[0.4], [0.3], [0.2], [0.1], [0.05]]
    (share,) = ladder(inputs, severity, [1.0], small, large)
    mean = inputs.mean((2, 3), keepdim=True)
    return mean + share * (inputs - mean)
