"""Spectral norms of convolutions, from the Fourier transform of their kernels."""

import math

import torch
from torch import Tensor
from torch.nn.functional import pad, pixel_unshuffle


def circular_norm(kernel: Tensor, size: tuple[int, int], stride: int = 1, groups: int = 1) -> Tensor:
    r"""Exact spectral norm of a convolution of images that wrap around.

    .. math:: \|K\|_2 = \max_\omega \sigma_{\max}(\hat K(\omega))

    over the frequencies of the image, where :math:`\hat K(\omega)` is an out-by-in matrix. A stride s
    is a convolution without one of the :math:`s^2` images that every s-th pixel makes.

    Args:
        kernel: ``(out, in / groups, k, k)``, as a ``Conv2d`` has it.
        size: ``(H, W)`` of the image, each a multiple of the stride.
        stride: Stride of the convolution, the same on both axes.
        groups: Number of groups of channels, which do not mix.

    Raises:
        ValueError: The size is no multiple of the stride.

    References:
        The singular values of convolutional layers (Sedghi, Gupta and Long, 2019)

    Example:
        >>> blur = torch.full((1, 1, 3, 3), 1 / 9)
        >>> round(circular_norm(blur, (8, 8)).item(), 6)
        1.0
    """
    if size[0] % stride or size[1] % stride:
        raise ValueError(f"circular_norm: {size[0]}x{size[1]} pixels are no multiple of the stride {stride}.")
    kernel = _wrapped(_polyphase(kernel, stride), (size[0] // stride, size[1] // stride))
    return _largest(kernel, (kernel.shape[2], kernel.shape[3]), groups)


def convolution_bound(kernel: Tensor, stride: int = 1, groups: int = 1, grid: int = 16) -> Tensor:
    r"""Upper bound of the spectral norm on images of any size, padded with zeros.

    It holds of images that wrap around as well where the stride divides their size. A padded
    convolution is a part of one that wraps around a larger image, so that no norm is above the largest
    value over all frequencies. That is bounded by the values on a grid of M frequencies, for kernels of
    k pixels along an axis:

    .. math:: \max_\omega \sigma_{\max}(\hat K(\omega)) \le
        \frac{\max_{\omega \in \text{grid}} \sigma_{\max}(\hat K(\omega))}{\cos^2 \frac{\pi (k - 1)}{2 M}}

    A dilation changes nothing.

    Args:
        kernel: ``(out, in / groups, k, k)``, as a ``Conv2d`` has it.
        stride: Stride of the convolution, the same on both axes.
        groups: Number of groups of channels, which do not mix.
        grid: M / k, at least 1. The bound is at most 1 % above the largest value with 16, 4 % with 8 and
            18 % with 4, for any k; for k = 3 it is less than half of that. Each of about half of the
            frequencies of the grid costs the eigenvalues of a matrix of the layer's channels.

    References:
        Bounding multivariate trigonometric polynomials (Pfister and Bresler, 2018)

    Example:
        >>> blur = torch.full((1, 1, 3, 3), 1 / 9)
        >>> 1 <= convolution_bound(blur).item() < 1.01
        True
    """
    kernel = _polyphase(kernel, stride)
    lengths = kernel.shape[2:]
    between = math.prod(math.cos(math.pi * (k - 1) / (2 * grid * k)) for k in lengths)
    return _largest(kernel, (grid * lengths[0], grid * lengths[1]), groups) / between


def _largest(kernel: Tensor, size: tuple[int, int], groups: int) -> Tensor:
    """Largest singular value over the frequencies of an image of this size."""
    parts = kernel.double().view(groups, -1, *kernel.shape[1:])
    frequencies: Tensor = torch.fft.rfft2(parts, s=size).permute(0, 3, 4, 1, 2)  # (groups, H, W/2, out, in)
    wide = frequencies.shape[-2] > frequencies.shape[-1]
    gram = frequencies.mH @ frequencies if wide else frequencies @ frequencies.mH
    largest: Tensor = torch.linalg.eigvalsh(gram).amax()
    return largest.clamp_min(0).sqrt()


def _polyphase(kernel: Tensor, stride: int) -> Tensor:
    """The kernel without a stride, of as many images as a stride takes pixels apart."""
    if stride == 1:
        return kernel
    height, width = kernel.shape[2:]
    return pixel_unshuffle(pad(kernel, (0, -width % stride, 0, -height % stride)), stride)


def _wrapped(kernel: Tensor, size: tuple[int, int]) -> Tensor:
    """The kernel on the image that it wraps around, however often."""
    wrapped = kernel.new_zeros(*kernel.shape[:2], *size)
    for row in range(kernel.shape[2]):
        for column in range(kernel.shape[3]):
            wrapped[:, :, row % size[0], column % size[1]] += kernel[:, :, row, column]
    return wrapped
