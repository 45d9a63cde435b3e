"""Ice on a window."""

from math import pi

import torch
from torch import Tensor

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.ladder import ladder

# Needles of three sizes, and where they grow: length and width, in shares of the shorter side.
_SIZES = ((0.12, 0.01), (0.05, 0.006), (0.02, 0.004), (0.1, 0.1))
_TINT = (1.25, 1.05, 0.9)


def frost(inputs: Tensor, severity: Tensor, rng: Streams) -> Tensor:
    r"""Darkens the image and adds ice, :math:`a \, x + b \, z`.

    The benchmark cuts z from photographs of frost. Here it is made for each image: needles at angles
    of 60 degrees to each other, in three sizes, which cover parts of the window.
    """
    small = [[1.0, 0.2], [1.0, 0.3], [0.9, 0.4], [0.85, 0.4], [0.75, 0.45]]
    large = [[1.0, 0.4], [0.8, 0.6], [0.7, 0.7], [0.65, 0.7], [0.6, 0.75]]
    kept, ice = ladder(inputs, severity, [1.0, 0.0], small, large)
    light = _light(inputs, rng)
    if inputs.shape[1] == 3:  # blue, where it is thin
        light = light ** inputs.new_tensor(_TINT)[:, None, None]
    return kept * inputs + ice * light


def _light(inputs: Tensor, rng: Streams) -> Tensor:
    """``(N, 1, H, W)`` what the ice reflects, in [0, 1]."""
    turn = 60 * rng.fold(0).uniform((1,), inputs)
    # Three directions of each size, which turns by 30 degrees from one size to the next.
    size = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2, 2, 3], device=turn.device)
    angle = torch.deg2rad(turn + 60 * torch.arange(10, device=turn.device) + 30 * size)
    noise = rng.normal((10, *inputs.shape[2:]), inputs)
    fields = _streaks(noise, angle, inputs.new_tensor(_SIZES)[size])
    coarse, fine, finest = (fields[:, k : k + 3].amax(1, keepdim=True) for k in (0, 3, 6))
    cover = torch.sigmoid(1.1 * coarse + 0.9 * fine + 0.7 * finest + 1.8 * fields[:, 9:] - 1.2)
    light: Tensor = 0.1 + 0.8 * cover * (0.75 + 0.125 * (fine + finest - 1.7).clamp(-2, 2))
    return light


def _streaks(noise: Tensor, angle: Tensor, size: Tensor) -> Tensor:
    """White noise smeared along lines: mean 0 and deviation 1.

    Args:
        noise: ``(N, K, H, W)``.
        angle: ``(N, K)`` of the lines.
        size: ``(K, 2)`` length and width, in shares of the shorter side.
    """
    height, width = noise.shape[2:]
    length, thickness = (size * min(height, width)).clamp_min(0.5)[:, :, None, None].unbind(1)
    down = torch.fft.fftfreq(height, dtype=noise.dtype, device=noise.device)[:, None]
    right = torch.fft.rfftfreq(width, dtype=noise.dtype, device=noise.device)
    cosine, sine = angle.cos()[..., None, None], angle.sin()[..., None, None]
    along, across = right * cosine + down * sine, down * cosine - right * sine
    damping = torch.exp(-2 * pi**2 * ((length * along).square() + (thickness * across).square()))
    field: Tensor = torch.fft.irfft2(torch.fft.rfft2(noise) * damping, s=(height, width))
    field = field - field.mean((2, 3), keepdim=True)
    return field / field.square().mean((2, 3), keepdim=True).sqrt().clamp_min(1e-6)
