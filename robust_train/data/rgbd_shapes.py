"""Drawn shapes, in colour and in depth."""

from math import pi

import numpy as np
import torch
from numpy.typing import NDArray

from robust_train.data.base import ImageData
from robust_train.data.labelled_images import LabelledImages
from robust_train.data.tensor_images import TensorImages

_SIDE, _FINE = 16, 4  # pixels, and points along each that are averaged
_COUNTS = {True: 2000, False: 500}
_SEEDS = {True: 0, False: 1}  # fixed: figures on the test part compare across runs and seeds


class RGBDShapes(ImageData):
    """2,500 images of 16x16 pixels with four channels: red, green, blue, and depth, 1 being far.

    A disk, a square, a triangle or a cross of any size, place and angle stands in front of a slanted wall,
    in a brighter colour and at a distance of its own. Colour and depth each tell the class. Drawn by a
    fixed seed; the test part is 500 images.

    Example:
        >>> data = RGBDShapes()
        >>> data.test_set[0][0].shape, len(data.train_set)
        (torch.Size([4, 16, 16]), 1800)
    """

    classes = ("disk", "square", "triangle", "cross")
    shape = (4, _SIDE, _SIDE)

    def read(self, train: bool) -> LabelledImages:
        draw = np.random.Generator(np.random.Philox(_SEEDS[train]))
        labels = draw.permutation(np.arange(_COUNTS[train]) % len(self.classes))
        images = np.stack([_image(int(label), draw) for label in labels])
        pixels = torch.from_numpy((255 * images).round().astype(np.uint8))
        return TensorImages(pixels, torch.from_numpy(labels).long())


def _image(label: int, draw: np.random.Generator) -> NDArray[np.float64]:
    """``(4, H, W)`` in [0, 1]."""
    share = _share(label, draw)
    wall = draw.uniform(0.05, 0.5, 3)
    shape = wall + draw.uniform(0.2, 0.5, 3)
    colour = wall[:, None, None] + (shape - wall)[:, None, None] * share
    row, column = np.meshgrid(*2 * [np.linspace(-1, 1, _SIDE)], indexing="ij")
    slant = 0.8 + draw.uniform(-0.08, 0.08) * row + draw.uniform(-0.08, 0.08) * column
    depth = slant + (draw.uniform(0.2, 0.5) - slant) * share
    image = np.concatenate([colour, depth[None]])
    return np.clip(image + 0.03 * draw.standard_normal(image.shape), 0, 1)


def _share(label: int, draw: np.random.Generator) -> NDArray[np.float64]:
    """``(H, W)`` the share of each pixel that the shape covers."""
    size, angle = draw.uniform(0.4, 0.65), draw.uniform(0, 2 * pi)
    place = draw.uniform(-0.25, 0.25, 2)
    fine = (np.arange(_SIDE * _FINE) + 0.5) / (_SIDE * _FINE) * 2 - 1
    y, x = np.meshgrid(fine - place[0], fine - place[1], indexing="ij")
    u = (np.cos(angle) * x + np.sin(angle) * y) / size
    v = (np.cos(angle) * y - np.sin(angle) * x) / size
    a, b = np.abs(u), np.abs(v)
    inside = (
        u**2 + v**2 < 1,
        np.maximum(a, b) < 0.85,
        (v > -0.6) & (v + 1.8 * a < 1.1),
        (np.minimum(a, b) < 0.3) & (np.maximum(a, b) < 1.1),
    )[label]
    share: NDArray[np.float64] = inside.reshape(_SIDE, _FINE, _SIDE, _FINE).mean((1, 3))
    return share
