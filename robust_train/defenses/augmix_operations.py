"""The nine operations of AugMix, none of which is among the fifteen test corruptions."""

from math import degrees

import torch
from torch import Tensor

from robust_train.transforms.affine import Affine

COUNT = 9
_PIXELWISE = 4
_SHEAR = 0.3


def apply(x: Tensor, operation: Tensor, strength: Tensor, turned: Tensor) -> Tensor:
    """Each image under an operation of its own.

    Autocontrast, equalization, posterization, solarization; rotation, shears and shifts along both
    axes, in the original's units: 30 degrees, 0.3 and a third of the image at strength 1. Shears and
    rotations are about the center, and what comes in is black.

    Args:
        x: ``(N, C, H, W)`` in [0, 1].
        operation: ``(N,)`` from 0 to 8, in the order above.
        strength: ``(N,)`` in [0, 1].
        turned: ``(N,)`` whether a motion goes the other way.

    Example:
        >>> x = torch.tensor([[[[0.0, 0.9]]]])
        >>> apply(x, torch.tensor([3]), torch.tensor([0.3]), torch.tensor([False]))  # solarized
        tensor([[[[0.0000, 0.1000]]]])
    """
    y = x.clone()
    for number, change in enumerate((_autocontrast, _equalize, _posterize, _solarize)):
        rows = (operation == number).nonzero().squeeze(1)
        y[rows] = change(x[rows], strength[rows, None, None, None].to(x))
    rows = (operation >= _PIXELWISE).nonzero().squeeze(1)
    poses = _poses(x)[operation[rows] - _PIXELWISE]
    signed = torch.where(turned[rows], -strength[rows], strength[rows]).double()
    y[rows] = Affine()(x[rows], signed[:, None] * poses)
    return y.clamp(0, 1)


def _autocontrast(x: Tensor, strength: Tensor) -> Tensor:
    low, high = x.amin((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
    return torch.where(high > low, (x - low) / (high - low).clamp_min(1e-12), x)


def _equalize(x: Tensor, strength: Tensor) -> Tensor:
    """The share of pixels that are darker, among those that are not the brightest."""
    pixels = x.flatten(2)
    ordered = pixels.sort(2).values
    darker = torch.searchsorted(ordered, pixels.contiguous()).to(x)
    most = darker.amax(2, keepdim=True)
    return torch.where(most > 0, darker / most.clamp_min(1), pixels).view_as(x)


def _posterize(x: Tensor, strength: Tensor) -> Tensor:
    """Four bits of eight, and fewer from a quarter of the strength on."""
    lost = 2 ** (4 + (4 * strength).floor())
    return ((255 * x).round() / lost).floor() * lost / 255


def _solarize(x: Tensor, strength: Tensor) -> Tensor:
    return torch.where(x < 1 - strength, x, 1 - x)


def _poses(x: Tensor) -> Tensor:
    """``(5, 6)`` parameters of the affine group at full strength."""
    height, width = x.shape[2:]
    half = _SHEAR / 2
    rows = [
        [0, 30, 0, 0, 0, 0],
        [0, degrees(half), 0, half, 0, 0],
        [0, -degrees(half), 0, half, 0, 0],
        [0, 0, 0, 0, width / 3, 0],
        [0, 0, 0, 0, 0, height / 3],
    ]
    return torch.tensor(rows, dtype=torch.float64, device=x.device)
