"""Snow whitens, and falls on black as on white."""

import pytest
import torch

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.snow import snow


@pytest.mark.parametrize(("side", "kept"), [(32, 0.8), (72, 0.55)])
def test_between_the_flakes_the_image_is_whitened(side, kept):
    x = torch.full((1, 3, side, side), 0.2)
    bare = kept * 0.2 + (1 - kept) * (1.5 * 0.2 + 0.5)
    levels = torch.tensor([5.0], dtype=torch.float64)
    y = snow(x, levels, Streams.of(0, [0]))
    assert y.min() >= bare - 1e-5
    assert y.mean() > bare + 0.01


def test_it_falls_once_more_upside_down_and_alike_in_all_channels():
    y = snow(torch.zeros(3, 3, 40, 30), torch.tensor([2.0, 4.0, 5.0]).double(), Streams.of(1, range(3)))
    torch.testing.assert_close(y, y.flip(2, 3))
    torch.testing.assert_close(y, y[:, :1].expand_as(y))


def test_flakes_fall_rather_than_drift():
    y = snow(torch.zeros(8, 1, 64, 64), torch.full((8,), 4.0).double(), Streams.of(1, range(8)))
    assert y.diff(dim=2).abs().mean() < 0.7 * y.diff(dim=3).abs().mean()
