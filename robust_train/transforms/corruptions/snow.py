"""Falling snow."""

from torch import Tensor

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.ladder import is_small, ladder
from robust_train.transforms.corruptions.per_sample import convolve, line, zoom

_LUMA = (0.299, 0.587, 0.114)


def snow(inputs: Tensor, severity: Tensor, rng: Streams) -> Tensor:
    """Whitens the image and lets flakes fall over it.

    Flakes are what of an enlarged Gaussian noise exceeds a threshold, smeared along a line that is
    within 45 degrees of the vertical; they fall once more with the image upside down.
    """
    # Mean, deviation, zoom and threshold of the noise; half the length of the line and of its
    # Gaussian in pixels; the weight of the image that is not whitened.
    small = [
        [0.1, 0.2, 1.0, 0.6, 8.0, 3.0, 0.95],
        [0.1, 0.2, 1.0, 0.5, 10.0, 4.0, 0.9],
        [0.15, 0.3, 1.75, 0.55, 10.0, 4.0, 0.9],
        [0.25, 0.3, 2.25, 0.6, 12.0, 6.0, 0.85],
        [0.3, 0.3, 1.25, 0.65, 14.0, 12.0, 0.8],
    ]
    large = [
        [0.1, 0.3, 3.0, 0.5, 10.0, 4.0, 0.8],
        [0.2, 0.3, 2.0, 0.5, 12.0, 4.0, 0.7],
        [0.55, 0.3, 4.0, 0.9, 12.0, 8.0, 0.7],
        [0.55, 0.3, 4.5, 0.85, 12.0, 8.0, 0.65],
        [0.55, 0.3, 2.5, 0.85, 12.0, 12.0, 0.55],
    ]
    nothing = [0.0, 0.0, 1.0, 0.6, 8.0, 3.0, 1.0]
    mean, deviation, size, least, radius, sigma, kept = ladder(inputs, severity, nothing, small, large)
    noise = mean + deviation * zoom(rng.normal((1, *inputs.shape[2:]), inputs), size)
    angle = -135 + 90 * rng.fold(0).uniform((), inputs)
    reach = 28 if is_small(inputs) else 24
    flakes = convolve(noise.where(noise >= least, 0).clamp(0, 1), line(radius, sigma, angle, reach))
    white = inputs.maximum(1.5 * _grey(inputs) + 0.5)
    return kept * inputs + (1 - kept) * white + flakes + flakes.flip(2, 3)


def _grey(inputs: Tensor) -> Tensor:
    """``(N, 1, H, W)``: luma of images of three channels, the mean of others."""
    if inputs.shape[1] != 3:
        return inputs.mean(1, keepdim=True)
    return (inputs * inputs.new_tensor(_LUMA)[:, None, None]).sum(1, keepdim=True)
