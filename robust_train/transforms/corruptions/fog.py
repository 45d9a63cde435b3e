"""Fog."""

import torch
from torch import Tensor

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.ladder import ladder


def fog(inputs: Tensor, severity: Tensor, rng: Streams) -> Tensor:
    r"""Adds a plasma fractal p in [0, 1], and scales so that the brightest pixel m bounds the result.

    .. math:: x \mapsto \frac{m}{m + c} \, (x + c \, p)
    """
    # The thickness c, and what divides the root of the roughness of the fractal at each finer scale.
    small = [[0.2, 3.0], [0.5, 3.0], [0.75, 2.5], [1.0, 2.0], [1.5, 1.75]]
    large = [[1.5, 2.0], [2.0, 2.0], [2.5, 1.7], [2.5, 1.5], [3.0, 1.4]]
    thickness, decay = ladder(inputs, severity, [0.0, 3.0], small, large)
    height, width = inputs.shape[2:]
    side = 1 << max(1, (max(height, width) - 1).bit_length())
    fractal = plasma(2 * rng.uniform((side, side), inputs) - 1, decay[:, 0])[:, None, :height, :width]
    brightest = inputs.amax((1, 2, 3), keepdim=True)
    return (inputs + thickness * fractal) * brightest / (brightest + thickness).clamp_min(1e-12)


def plasma(noise: Tensor, decay: Tensor) -> Tensor:
    """A fractal height map in [0, 1] by the diamond-square algorithm, on a torus.

    Args:
        noise: ``(N, S, S)`` in [-1, 1], S a power of two.
        decay: ``(N, 1, 1)``: from one scale to the next finer one, noise is divided by its square.

    References:
        Computer rendering of stochastic models (Fournier, Fussell and Carpenter, 1982)
    """
    heights, step = torch.zeros_like(noise), noise.shape[1]
    amplitude = torch.ones_like(decay)
    while step >= 2:
        half, known = step // 2, heights[:, ::step, ::step]
        down = known + known.roll(-1, 1)
        middle = (down + down.roll(-1, 2)) / 4 + amplitude * noise[:, half::step, half::step]
        above, left = middle + middle.roll(1, 1), middle + middle.roll(1, 2)
        beside, under = known + known.roll(-1, 2), known + known.roll(-1, 1)
        heights[:, half::step, half::step] = middle
        heights[:, ::step, half::step] = (above + beside) / 4 + amplitude * noise[:, ::step, half::step]
        heights[:, half::step, ::step] = (left + under) / 4 + amplitude * noise[:, half::step, ::step]
        amplitude, step = amplitude / decay**2, half
    low, high = heights.amin((1, 2), keepdim=True), heights.amax((1, 2), keepdim=True)
    return (heights - low) / (high - low)
