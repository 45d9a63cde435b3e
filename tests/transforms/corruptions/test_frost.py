"""Ice that is light, bluish and different in each image."""

import pytest
import torch

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.frost import _streaks, frost


@pytest.mark.parametrize(("side", "kept", "ice"), [(32, 0.75, 0.45), (72, 0.6, 0.75)])
def test_the_image_is_darkened_and_the_same_ice_added(side, kept, ice):
    x = torch.rand(2, 3, side, side)
    level, rng = torch.full((2,), 5.0).double(), Streams.of(0, range(2))
    added = frost(torch.zeros_like(x), level, rng)
    torch.testing.assert_close(frost(x, level, rng), kept * x + added)
    assert added.min() >= 0
    assert added.max() <= ice + 1e-6
    assert (added[:, 2] >= added[:, 0]).all()
    assert (added[0] - added[1]).abs().mean() > 0.1 * ice


def test_streaks_run_along_their_angle():
    noise = Streams.of(0, [0]).normal((2, 64, 64))
    field = _streaks(noise, torch.tensor([[0.0, torch.pi / 2]]), torch.tensor([[0.2, 0.01]] * 2))
    rough = torch.stack([field.diff(dim=2).square().mean((2, 3)), field.diff(dim=3).square().mean((2, 3))])
    assert rough[0, 0, 0] > 20 * rough[1, 0, 0]
    assert rough[1, 0, 1] > 20 * rough[0, 0, 1]
    torch.testing.assert_close(field.square().mean((2, 3)), torch.ones(1, 2))
