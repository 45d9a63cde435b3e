"""A disk of which nothing is lost."""

import pytest
import torch

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.defocus_blur import defocus_blur


def spread(side, *severities):
    """What becomes of a point at these severities."""
    x = torch.zeros(len(severities), 1, side, side, dtype=torch.float64)
    x[..., side // 2, side // 2] = 1
    return defocus_blur(x, torch.tensor(severities).double(), Streams.of(0, range(len(severities))))[:, 0]


@pytest.mark.parametrize("side", [33, 65])
def test_the_kernel_sums_to_one_and_is_symmetric(side):
    y = spread(side, 0.3, 1.0, 2.5, 5.0)
    torch.testing.assert_close(y.sum((1, 2)), torch.ones(4).double())
    torch.testing.assert_close(y, y.flip(1))
    torch.testing.assert_close(y, y.mT)


def test_a_sharp_disk_is_even_within_its_radius():
    y = spread(65, 1.0)[0]
    u = torch.arange(65) - 32
    inside = (u.square() + u[:, None].square()) <= 9
    torch.testing.assert_close(y, inside / inside.sum().double(), rtol=0, atol=1e-12)


def test_between_two_levels_kernels_are_interpolated():
    y = spread(33, 4.0, 4.25, 5.0)
    torch.testing.assert_close(y[1], 0.75 * y[0] + 0.25 * y[2])


def test_a_flat_image_stays_flat():
    x = torch.full((2, 3, 40, 70), 0.3)
    torch.testing.assert_close(defocus_blur(x, torch.tensor([2.0, 5.0]).double(), Streams.of(0, range(2))), x)
