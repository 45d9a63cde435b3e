"""Pixels that a sensor loses."""

from torch import Tensor

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.ladder import ladder


def impulse_noise(inputs: Tensor, severity: Tensor, rng: Streams) -> Tensor:
    """Salt and pepper: a share of all pixels and channels turns to 0 or 1, one as often as the other."""
    small = [[0.01], [0.02], [0.03], [0.05], [0.07]]
    large = [[0.03], [0.06], [0.09], [0.17], [0.27]]
    (share,) = ladder(inputs, severity, [0.0], small, large)
    u = rng.uniform(tuple(inputs.shape[1:]), inputs)
    peppered = inputs.masked_fill(u < share / 2, 0)
    return peppered.masked_fill(u >= 1 - share / 2, 1)
