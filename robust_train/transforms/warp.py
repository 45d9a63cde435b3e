"""Transformations that move pixels."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, pad

from robust_train.randomness import Streams
from robust_train.transforms.base import Transform
from robust_train.transforms.checking import check_images

Padding = Literal["zeros", "border", "periodic"]


@dataclass(frozen=True, kw_only=True)
class Warp(Transform):
    r"""Reads each pixel of the result from another place of the image.

    .. math:: T_\theta(x)(u) = x(\phi_\theta(u))

    Between pixels the image is interpolated bilinearly. Places are counted in pixels from the
    center of the image, to the right and down; a positive angle turns counter-clockwise as seen.
    Integer shifts are exact up to the rounding of the place, in the precision of the image.

    Args:
        padding: What is beyond the image: zeros, the nearest pixel, or the image again.
    """

    padding: Padding = "zeros"

    @abstractmethod
    def source(self, places: Tensor, parameters: Tensor) -> Tensor:
        """Where the result is read.

        Args:
            places: ``(H * W, 2)`` float64, the pixels of the result.
            parameters: ``(N, P)``.

        Returns:
            ``(N, H * W, 2)``.
        """

    def __call__(self, inputs: Tensor, parameters: Tensor, rng: Streams | None = None) -> Tensor:
        check_images(self, inputs)
        height, width = inputs.shape[2:]
        places = self.source(centered(height, width, inputs.device), parameters.double())
        return sample(inputs, places.view(-1, height, width, 2), self.padding)


@dataclass(frozen=True, kw_only=True)
class LinearWarp(Warp):
    r"""A warp by an invertible affine map of the plane, :math:`\phi_\theta(u) = A u + b`."""

    @abstractmethod
    def inverse(self, parameters: Tensor) -> Tensor:
        """``(N, 2, 3)`` of A and b: the inverse of what happens to the content of the image."""

    def source(self, places: Tensor, parameters: Tensor) -> Tensor:
        matrix = self.inverse(parameters)
        return places @ matrix[..., :2].mT + matrix[:, None, :, 2]


def centered(height: int, width: int, device: torch.device) -> Tensor:
    """``(H * W, 2)`` places of the pixels, from the center to the right and down."""
    x = torch.arange(width, dtype=torch.float64, device=device) - (width - 1) / 2
    y = torch.arange(height, dtype=torch.float64, device=device) - (height - 1) / 2
    return torch.stack([x.repeat(height), y.repeat_interleave(width)], 1)


def sample(inputs: Tensor, places: Tensor, padding: Padding) -> Tensor:
    """The image at ``(N, H, W, 2)`` places, interpolated bilinearly.

    Of the two conventions of torch this is the one where the outer edges of the outer pixels
    are at -1 and 1 (``align_corners=False``), which has a meaning for images of one pixel too.
    """
    size = places.new_tensor(inputs.shape[:1:-1])
    corner = places + (size - 1) / 2  # from the first pixel
    if padding == "periodic":
        corner = corner - size * (corner.detach() / size).floor()
        inputs, size = pad(inputs, (0, 1, 0, 1), mode="circular"), size + 1
    grid = ((2 * corner + 1) / size - 1).to(inputs.dtype)
    mode = "border" if padding == "border" else "zeros"
    return grid_sample(inputs, grid, padding_mode=mode, align_corners=False)


def similarity(angle: Tensor, log_scale: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """``(N, 2, 3)`` inverse of turning by an angle in degrees, scaling, then shifting in pixels."""
    radians, shrink = torch.deg2rad(angle), (-log_scale).exp()
    cosine, sine = shrink * radians.cos(), shrink * radians.sin()
    b = torch.stack([sine * down - cosine * right, -sine * right - cosine * down], 1)
    return torch.stack([torch.stack([cosine, sine], 1), torch.stack([-sine, cosine], 1), b], 2)
