"""Compression that loses what the eye misses least."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.ladder import ladder
from robust_train.transforms.dct import dct_matrix

# Of the standard, for quality 50: one row for each vertical frequency.
_LUMA = [
    [16, 11, 10, 16, 24, 40, 51, 61],
    [12, 12, 14, 19, 26, 58, 60, 55],
    [14, 13, 16, 24, 40, 57, 69, 56],
    [14, 17, 22, 29, 51, 87, 80, 62],
    [18, 22, 37, 56, 68, 109, 103, 77],
    [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101],
    [72, 92, 95, 98, 112, 100, 103, 99],
]
_CHROMA = [
    [17, 18, 24, 47, 99, 99, 99, 99],
    [18, 21, 26, 66, 99, 99, 99, 99],
    [24, 26, 56, 99, 99, 99, 99, 99],
    [47, 66, 99, 99, 99, 99, 99, 99],
    *[[99] * 8] * 4,
]
_YCC = [[0.299, 0.587, 0.114], [-0.168735892, -0.331264108, 0.5], [0.5, -0.418687589, -0.081312411]]


def jpeg_compression(inputs: Tensor, severity: Tensor, rng: Streams) -> Tensor:
    """Writes and reads each image as a JPEG of its own quality, 1 to 100; whole ones agree with libjpeg.

    Color images have half as many pixels of color as of light in both directions (4:2:0). Of images
    that do not have three channels, each channel is coded as a grey image. The slightest severity
    rounds to 8 bits and halves the colors already.

    References:
        The JPEG still picture compression standard (Wallace, 1991)
    """
    small = [[80.0], [65.0], [58.0], [50.0], [40.0]]
    large = [[25.0], [18.0], [15.0], [10.0], [7.0]]
    (quality,) = ladder(inputs, severity, [100.0], small, large)
    percent = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality).floor()
    pixels = _whole(255 * inputs) - 128
    decoded = _color(pixels, percent) if inputs.shape[1] == 3 else _coded(pixels, percent, _LUMA)
    return (decoded + 128) / 255


def _color(pixels: Tensor, percent: Tensor) -> Tensor:
    """RGB around zero, through luma and halved chroma."""
    height, width = pixels.shape[2:]
    matrix = torch.tensor(_YCC, dtype=torch.float64)
    planes = _whole(torch.einsum("ij,njhw->nihw", matrix.to(pixels), pixels))
    luma = _coded(planes[:, :1], percent, _LUMA)
    half = _coded(avg_pool2d(planes[:, 1:], 2, ceil_mode=True), percent, _CHROMA)
    chroma = _whole(interpolate(half, scale_factor=2, mode="bilinear")[..., :height, :width])
    planes = torch.cat([luma, chroma], 1)
    return _whole(torch.einsum("ij,njhw->nihw", matrix.inverse().to(pixels), planes))


def _coded(plane: Tensor, percent: Tensor, table: list[list[int]]) -> Tensor:
    """Planes around zero, in blocks of 8 by 8 whose waves are rounded to multiples of their steps."""
    n, channels, height, width = plane.shape
    down, across = -(-height // 8), -(-width // 8)  # blocks
    dct = dct_matrix(8).to(plane)
    step = ((plane.new_tensor(table) * percent + 50) / 100).floor().clamp(1, 255)
    step = step.view(n, 1, 1, 8, 1, 8)  # images, channels, rows of blocks, 8, blocks of a row, 8
    padded = pad(plane, (0, -width % 8, 0, -height % 8), mode="replicate")
    rows = dct @ padded.view(n, channels, down, 8, across * 8)
    waves = rows.view(n, channels, down, 8, across, 8) @ dct.mT
    waves = _whole(waves / step) * step
    decoded = dct.mT @ (waves @ dct).flatten(4)
    return _whole(decoded.view_as(padded)[..., :height, :width]).clamp(-128, 127)


def _whole(values: Tensor) -> Tensor:
    """The nearest whole numbers: up from half way, which is common, whatever the rounding errors are."""
    return (values + 5e-4).round()
