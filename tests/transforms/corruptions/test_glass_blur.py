"""Pixels that copy their neighbours, against the loop over pixels."""

import pytest
import torch

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.glass_blur import _offsets, _source, glass_blur


@pytest.mark.parametrize("reach", [1, 2, 4])
def test_all_at_once_is_one_pixel_after_the_other(reach):
    u = Streams.of(0, [0]).uniform((2, 20, 17))
    down, right = _offsets(u, torch.full((1, 1, 1), float(reach)))
    copied = torch.arange(20 * 17).view(20, 17)
    for i in range(20 - reach, reach, -1):
        for j in range(17 - reach, reach, -1):
            copied[i, j] = copied[i + down[0, i, j], j + right[0, i, j]]
    assert torch.equal(_source(down, right), copied.flatten()[None])


def test_offsets_are_uniform_and_leave_the_image_never():
    u = Streams.of(0, range(50)).uniform((2, 64, 64))
    down, _ = _offsets(u, torch.full((50, 1, 1), 3.0))
    share = (down[:, 4:62, 4:62] + 3).flatten().bincount() / down[:, 4:62, 4:62].numel()
    torch.testing.assert_close(share, torch.full((6,), 1 / 6), rtol=0, atol=5e-3)
    assert (_source(down, _) < 64 * 64).all()


def test_below_the_first_level_fewer_pixels_move():
    u = Streams.of(0, range(3)).uniform((2, 64, 64))
    down, _ = _offsets(u, torch.tensor([0.0, 0.5, 1.0])[:, None, None])
    share = (down[:, 2:63, 2:63] != 0).float().mean((1, 2))
    torch.testing.assert_close(share, torch.tensor([0, 0.25, 0.5]), rtol=0, atol=0.03)


def test_a_flat_image_stays_flat_and_no_new_extremes_appear():
    x = torch.rand(2, 3, 16, 16)
    x[0] = 0.3
    y = glass_blur(x, torch.tensor([5.0, 1.0]).double(), Streams.of(0, range(2)))
    torch.testing.assert_close(y[0], x[0])
    assert x[1].min() - 1e-6 <= y[1].min() <= y[1].max() <= x[1].max() + 1e-6
