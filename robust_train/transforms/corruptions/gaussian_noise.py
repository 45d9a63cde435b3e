"""Noise of a sensor in poor light."""

from torch import Tensor

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.ladder import ladder


def gaussian_noise(inputs: Tensor, severity: Tensor, rng: Streams) -> Tensor:
    r"""Adds to each pixel and channel :math:`\mathcal{N}(0, \sigma^2)`, :math:`\sigma` in pixel units."""
    small = [[0.04], [0.06], [0.08], [0.09], [0.10]]
    large = [[0.08], [0.12], [0.18], [0.26], [0.38]]
    (sigma,) = ladder(inputs, severity, [0.0], small, large)
    return inputs + sigma * rng.normal(tuple(inputs.shape[1:]), inputs)
