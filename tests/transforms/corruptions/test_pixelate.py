"""Means over cells."""

import torch
from torch.nn.functional import avg_pool2d, interpolate

from robust_train.transforms.corruptions.pixelate import pixelate


def pixelated(inputs, severity):
    return pixelate(inputs, torch.full((len(inputs),), severity, dtype=torch.float64), None)


def test_cells_of_two_and_four_pixels_are_means_of_blocks():
    x = torch.rand(2, 3, 72, 60)
    for severity, cell in ((2.0, 2), (5.0, 4)):
        blocks = interpolate(avg_pool2d(x, cell), scale_factor=cell, mode="nearest")
        torch.testing.assert_close(pixelated(x, severity), blocks)


def test_a_cell_may_end_inside_a_pixel():
    line = torch.tensor([3.0, 0.0, 0.0, 0.0, 0.0]).double().view(1, 1, 1, 5).expand(1, 1, 70, 5)
    # Cells of 5 / 3 pixels: the second pixel belongs to the first cell by two thirds.
    expected = torch.tensor([1.8, 1.2, 0.0, 0.0, 0.0]).double().view(1, 1, 1, 5).expand(1, 1, 70, 5)
    torch.testing.assert_close(pixelated(line, 1.0), expected)


def test_a_constant_stays_and_small_changes_of_the_severity_make_small_ones_of_the_image():
    x = torch.rand(1, 2, 32, 19, dtype=torch.float64)
    constant = torch.full_like(x, 0.4)
    for severity in torch.linspace(0, 5, 23).tolist():
        torch.testing.assert_close(pixelated(constant, severity), constant)
        gap = pixelated(x, severity) - pixelated(x, max(severity - 1e-6, 0))
        assert gap.abs().max() < 1e-3
    torch.testing.assert_close(pixelated(x, 0.0), x)
