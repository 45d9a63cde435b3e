import base64
from io import BytesIO

import pytest
import torch
from matplotlib.image import imread

from robust_train.report.images import data_uri, magnification


def decode(uri):
    head, data = uri.split(",")
    assert head == "data:image/png;base64"
    return torch.tensor(imread(BytesIO(base64.b64decode(data)))[:, :, :3])


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_survive(channels):
    image = torch.randint(0, 256, (channels, 5, 7)) / 255
    assert torch.allclose(decode(data_uri(image)), image.expand(3, -1, -1).permute(1, 2, 0), atol=1e-6)


def test_other_channels_are_averaged_and_the_range_is_clipped():
    image = torch.tensor([0.0, 1.0]).reshape(2, 1, 1)
    assert decode(data_uri(image))[0, 0, 0] == pytest.approx(0.5, abs=0.01)
    assert decode(data_uri(torch.full((1, 1, 1), 7.0))).unique().tolist() == [1.0]


def test_large_images_become_thumbnails():
    assert decode(data_uri(torch.zeros(3, 224, 300))).shape == (75, 100, 3)


@pytest.mark.parametrize("scale", [1e-6, 0.003, 0.15, 0.9, 40.0])
def test_a_magnified_change_is_seen_and_stays_in_range(scale):
    change = scale * torch.tensor([1.0, -1.0, 0.5])
    assert 0.2 < magnification(change) * scale <= 0.5 + 1e-6


def test_what_is_not_finite_has_no_say():
    assert magnification(torch.tensor([float("nan"), float("inf")])) == 1
    assert magnification(torch.zeros(0)) == 1
