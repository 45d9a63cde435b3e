"""Salt and pepper: how much of each, and where."""

import pytest
import torch

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.impulse_noise import impulse_noise


@pytest.mark.parametrize(("side", "level", "share"), [(32, 1, 0.01), (32, 5, 0.07), (72, 5, 0.27)])
def test_half_of_the_share_is_salt_and_half_is_pepper(side, level, share):
    x = torch.full((8, 3, side, side), 0.5)
    y = impulse_noise(x, torch.full((8,), float(level)).double(), Streams.of(0, range(8)))
    tolerance = 4 * (share / y.numel()) ** 0.5
    assert (y == 0).float().mean().item() == pytest.approx(share / 2, abs=tolerance)
    assert (y == 1).float().mean().item() == pytest.approx(share / 2, abs=tolerance)
    assert ((y == 0) | (y == 1) | (y == 0.5)).all()


def test_what_is_lost_stays_lost_as_severity_grows():
    x = torch.full((1, 3, 16, 16), 0.5).expand(5, -1, -1, -1)
    y = impulse_noise(x, torch.arange(1, 6).double(), Streams.of(0, [3] * 5))
    assert ((y[:-1] == 0.5) | (y[:-1] == y[1:])).all()
