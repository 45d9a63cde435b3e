"""Stretched like rubber."""

from math import pi

import torch
from torch import Tensor

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.ladder import ladder
from robust_train.transforms.dct import dct_matrix
from robust_train.transforms.warp import centered, sample


def elastic_transform(inputs: Tensor, severity: Tensor, rng: Streams) -> Tensor:
    r"""Moves three points of the image at random, the rest affinely with them, then along a smooth field.

    .. math:: x(A^{-1} u), \qquad x(u + \alpha \, (g_\sigma * \epsilon)(u)), \qquad
        \epsilon(u) \sim \mathcal{U}(-1, 1)^2

    Beyond its border the image is mirrored, and so is the field that the Gaussian smooths. All lengths
    are in shares of the shorter side: ``alpha``, ``sigma``, and how far a point is moved along each axis.
    """
    small = [[0.0, 0.0, 0.08], [0.05, 0.2, 0.07], [0.08, 0.06, 0.06], [0.1, 0.04, 0.05], [0.1, 0.03, 0.03]]
    large = [[2.0, 0.7, 0.1], [2.0, 0.08, 0.2], [0.05, 0.01, 0.02], [0.07, 0.01, 0.02], [0.12, 0.01, 0.02]]
    large = [[length * 244 / 224 for length in level] for level in large]  # published for 244, used for 224
    height, width = inputs.shape[2:]
    side = min(height, width)
    # The field grows from 0 as smooth as it is at level 1 of large images; small ones have none until then.
    parameters = ladder(inputs, severity, [0.0, large[0][1], 0.0], small, large)
    alpha, sigma, reach = (side * parameter for parameter in parameters)
    places = centered(height, width, inputs.device)
    moved = reach[:, 0] * (2 * rng.uniform((3, 2), inputs) - 1)
    affine = _mirrored(_pulled_back(places, moved.double(), side), height, width)
    field = alpha * _smooth(2 * rng.fold(0).uniform((2, height, width), inputs) - 1, sigma)
    elastic = _mirrored(places + field.flatten(2).mT, height, width)
    return sample(sample(inputs, affine, "border"), elastic, "border")


def _pulled_back(places: Tensor, moved: Tensor, side: int) -> Tensor:
    """Where the places were before three corners of a square were moved: ``(N, H * W, 2)``."""
    s = max(side // 3, 1)
    before = places.new_tensor([[s, s, 1], [s, -s, 1], [-s, -s, 1]])
    corners = before[:, :2] + moved
    forth = before.inverse() @ corners  # (N, 3, 2): the linear map, and where the center goes
    back: Tensor = torch.linalg.inv_ex(forth[:, :2]).inverse
    return (places - forth[:, 2:]) @ back


def _smooth(noise: Tensor, sigma: Tensor) -> Tensor:
    """The noise, mirrored at its border, convolved with a Gaussian: that damps each wave by itself."""
    down, across = (dct_matrix(side).to(noise) for side in noise.shape[2:])
    damping = [_damping(side, sigma) for side in noise.shape[2:]]
    waves = (down @ noise @ across.mT) * damping[0].mT * damping[1]
    return down.mT @ waves @ across


def _damping(side: int, sigma: Tensor) -> Tensor:
    """``(N, 1, 1, side)`` what a Gaussian leaves of the waves along a line."""
    frequency = torch.arange(side, dtype=sigma.dtype, device=sigma.device) * (pi / side)
    return torch.exp(-(sigma * frequency).square() / 2)


def _mirrored(places: Tensor, height: int, width: int) -> Tensor:
    """``(N, H, W, 2)`` the places folded into the image, at the outer edges of its outer pixels."""
    size = places.new_tensor([width, height])
    folded = size - ((places + size / 2) % (2 * size) - size).abs()
    return (folded - size / 2).view(-1, height, width, 2)
