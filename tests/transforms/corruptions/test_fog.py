"""Fog: its bounds, and the fractal that it is made of."""

import pytest
import torch

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.fog import fog, plasma


@pytest.mark.parametrize(("side", "c"), [(32, 1.5), (70, 3.0)])
def test_white_stays_the_brightest_and_black_becomes_grey(side, c):
    x = torch.zeros(4, 3, side, side, dtype=torch.float64)
    x[:, :, :2] = 1
    y = fog(x, torch.full((4,), 5.0).double(), Streams.of(0, range(4)))
    assert y.max() <= 1 + 1e-12
    black = y[:, :, 2:]
    assert black.min() >= 0
    assert black.max() <= c / (1 + c) + 1e-12
    assert (black.mean((1, 2, 3)) > 0.1).all()
    torch.testing.assert_close(y[:, :, :2].amin((1, 2, 3)) >= 1 / (1 + c), torch.ones(4, dtype=torch.bool))
    torch.testing.assert_close(y[:, 0], y[:, 1])


def test_a_fractal_fills_the_unit_interval_and_is_rougher_at_a_smaller_decay():
    noise = 2 * Streams.of(0, range(6)).uniform((64, 64)) - 1
    smooth, rough = (plasma(noise, torch.full((6, 1, 1), decay)) for decay in (3.0, 1.4))
    for heights in (smooth, rough):
        assert torch.equal(heights.amin((1, 2)), torch.zeros(6))
        assert torch.equal(heights.amax((1, 2)), torch.ones(6))
    assert rough.diff(dim=1).abs().mean() > 2 * smooth.diff(dim=1).abs().mean()


def test_without_noise_at_a_scale_heights_are_means():
    noise = torch.zeros(1, 8, 8, dtype=torch.float64)
    noise[0, 4, 4] = 1.0  # the first square; all finer points lie between it and the corner
    heights = plasma(noise, torch.ones(1, 1, 1, dtype=torch.float64))[0]
    assert heights[4, 4] == 1
    assert heights[0, 0] == 0
    assert heights[4, 0] == heights[0, 4] == 0.5
    assert heights[2, 2] == (0 + 0.5 + 0.5 + 1) / 4
