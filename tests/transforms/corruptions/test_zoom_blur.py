"""What a zoom leaves as it is, and how far it carries the rest."""

import pytest
import torch

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.zoom_blur import zoom_blur
from robust_train.transforms.warp import centered


def test_what_depends_on_the_angle_alone_stays():
    places = centered(65, 65, torch.device("cpu"))
    x = (0.5 + 0.4 * torch.cos(torch.atan2(places[:, 1], places[:, 0]))).view(1, 1, 65, 65)
    y = zoom_blur(x, torch.tensor([5.0]), Streams.of(0, [0]))
    away = (places.norm(dim=1) > 6).view(1, 1, 65, 65)
    torch.testing.assert_close(y[away], x[away], rtol=0, atol=2e-3)


@pytest.mark.parametrize(("side", "most", "weight"), [(33, 0.25, 1 / 27), (67, 0.30, 1 / 12)])
def test_a_ramp_is_scaled_by_the_mean_of_the_inverse_zooms(side, most, weight):
    x = torch.linspace(0, 1, side, dtype=torch.float64).expand(1, 1, side, side) - 0.5
    y = zoom_blur(x, torch.tensor([5.0]).double(), Streams.of(0, [0]))
    inverse = (1 / torch.linspace(1, 1 + most, 16).double()).mean()
    torch.testing.assert_close(y, (weight + (1 - weight) * inverse) * x)


def test_a_flat_image_stays_flat():
    x = torch.full((2, 3, 8, 20), 0.7)
    torch.testing.assert_close(zoom_blur(x, torch.tensor([1.0, 4.4]).double(), Streams.of(0, range(2))), x)
