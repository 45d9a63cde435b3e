"""A point becomes a line."""

import pytest
import torch

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.motion_blur import motion_blur


@pytest.mark.parametrize(("side", "level", "radius"), [(61, 5, 9), (141, 5, 20), (141, 1, 10)])
def test_a_point_becomes_a_line_of_the_published_length(side, level, radius):
    x = torch.zeros(6, 1, side, side, dtype=torch.float64)
    x[..., side // 2, side // 2] = 1
    y = motion_blur(x, torch.full((6,), float(level)).double(), Streams.of(0, range(6)))[:, 0]
    torch.testing.assert_close(y.sum((1, 2)), torch.ones(6).double())
    for image in y:
        places = (image > 1e-14).nonzero() - side // 2
        length, angle = places.double().norm(dim=1).max(), torch.atan2(places[:, 0], places[:, 1].abs())
        assert 2 * radius - 1 <= length <= 2 * radius + 1
        assert angle[places.double().norm(dim=1) > radius].abs().max() <= torch.pi / 4 + 0.1
        assert (places[:, 1] <= 0).all()


def test_the_angle_does_not_change_with_severity():
    x = torch.zeros(2, 1, 33, 33)
    x[..., 16, 16] = 1
    y = motion_blur(x, torch.tensor([3.0, 5.0]).double(), Streams.of(0, [4, 4]))
    assert ((y[0] < 1e-5) | (y[1] > 1e-6)).all()


def test_a_flat_image_stays_flat():
    x = torch.full((2, 3, 8, 20), 0.7)
    torch.testing.assert_close(motion_blur(x, torch.tensor([1.0, 4.4]).double(), Streams.of(0, range(2))), x)
