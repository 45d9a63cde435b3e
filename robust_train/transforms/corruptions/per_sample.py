"""What several corruptions share: a kernel, a line and a zoom for each image."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from robust_train.transforms.warp import centered, sample


def convolve(inputs: Tensor, kernel: Tensor) -> Tensor:
    r"""Each image convolved with its own kernel, :math:`y(u) = \sum_v k(v) \, x(u - v)`.

    Beyond its border the image goes on as its outermost pixels.

    Args:
        inputs: ``(N, C, H, W)``.
        kernel: ``(N, K, K)``, K odd, zero in its middle.
    """
    height, width = inputs.shape[2:]
    reach = kernel.shape[2] // 2
    padded = pad(inputs, (reach,) * 4, mode="replicate")
    size = tuple(padded.shape[2:])
    # Waves: the kernels are long, and twice as long costs little more.
    waves = torch.fft.rfft2(padded) * torch.fft.rfft2(kernel, s=size)[:, None]
    blurred: Tensor = torch.fft.irfft2(waves, s=size)
    return blurred[..., 2 * reach : 2 * reach + height, 2 * reach : 2 * reach + width]


def line(radius: Tensor, sigma: Tensor, angle: Tensor, reach: int) -> Tensor:
    r"""Kernels that smear to one side along a line, :math:`k(-i d) \propto e^{-i^2 / 2 \sigma^2}`.

    Steps i are of one pixel, from 0 to twice the radius; places are rounded to pixels, and the
    last step fades in as the radius grows.

    Args:
        radius: ``(N, 1, 1, 1)`` half the length in pixels, as the benchmark has it.
        sigma: ``(N, 1, 1, 1)`` in pixels.
        angle: ``(N,)`` of d in degrees, from right to down.
        reach: Twice the largest radius.

    Returns:
        ``(N, 2 * reach + 1, 2 * reach + 1)``.
    """
    step = torch.arange(reach + 1, dtype=sigma.dtype, device=sigma.device)
    radius, sigma = radius.flatten(1), sigma.flatten(1).clamp_min(1e-3)
    weight = torch.exp(-(step / sigma).square() / 2) * (2 * radius + 1 - step).clamp(0, 1)
    radians = torch.deg2rad(angle)[:, None]
    column = reach - (step * radians.cos()).round().long()
    row = reach - (step * radians.sin()).round().long()
    side = 2 * reach + 1
    kernel = weight.new_zeros(len(weight), side * side)
    kernel.scatter_add_(1, row * side + column, weight / weight.sum(1, keepdim=True))
    return kernel.view(-1, side, side)


def zoom(inputs: Tensor, factor: Tensor) -> Tensor:
    """Each image enlarged around its center, ``factor`` of shape ``(N, ...)``, and cut to its size."""
    height, width = inputs.shape[2:]
    places = centered(height, width, inputs.device) / factor.double().view(-1, 1, 1)
    return sample(inputs, places.view(-1, height, width, 2), "border")
