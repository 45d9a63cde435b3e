"""A camera that moves."""

from torch import Tensor

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.ladder import is_small, ladder
from robust_train.transforms.corruptions.per_sample import convolve, line


def motion_blur(inputs: Tensor, severity: Tensor, rng: Streams) -> Tensor:
    """Smears along a line at a random angle, within 45 degrees of the horizontal.

    The weights are one half of a Gaussian: the motion fades to one side.
    """
    # Half the length of the line, and of the Gaussian, in pixels.
    small = [[6.0, 1.0], [6.0, 1.5], [6.0, 2.0], [8.0, 2.0], [9.0, 2.5]]
    large = [[10.0, 3.0], [15.0, 5.0], [15.0, 8.0], [15.0, 12.0], [20.0, 15.0]]
    radius, sigma = ladder(inputs, severity, [0.0, 0.0], small, large)
    angle = 90 * rng.uniform((), inputs) - 45
    reach = 18 if is_small(inputs) else 40
    return convolve(inputs, line(radius, sigma, angle, reach))
