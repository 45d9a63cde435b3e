"""A JPEG, as the library writes and reads it."""

from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_image

from robust_train.transforms.corruptions.jpeg_compression import jpeg_compression


def compressed(inputs, severity):
    return jpeg_compression(inputs, torch.full((len(inputs),), severity, dtype=torch.float64), None).clamp(
        0, 1
    )


def by_the_library(image, quality):
    """Height, width and perhaps three channels, uint8."""
    file = BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.array(Image.open(file))


def batch(image):
    return torch.from_numpy(image.astype(np.float64) / 255).reshape(1, *image.shape[:2], -1).movedim(3, 1)


@pytest.mark.parametrize("channels", [3, 1])
@pytest.mark.parametrize(("side", "qualities"), [(64, (80, 65, 58, 50, 40)), (225, (25, 18, 15, 10, 7))])
def test_photographs_come_back_as_from_the_library(side, qualities, channels):
    image = load_sample_image("china.jpg")[150 : 150 + side, 100 : 100 + side - 3]
    image = image if channels == 3 else np.ascontiguousarray(image[..., 1])
    for severity, quality in enumerate(qualities, 1):
        expected = batch(by_the_library(image, quality))
        error = (compressed(batch(image), float(severity)) - expected).abs().mean()
        effect = (batch(image) - expected).abs().mean()
        assert error < min(1 / 255, 0.15 * effect)


def test_a_second_compression_changes_next_to_nothing():
    x = batch(load_sample_image("flower.jpg")[200:260, 200:264])
    once = compressed(x, 5.0)
    assert (compressed(once, 5.0) - once).abs().mean() < 0.1 * (once - x).abs().mean()


def test_constant_images_stay_constant_and_then_stay():
    x = torch.tensor([0.1, 0.35, 0.8]).view(1, 3, 1, 1).expand(2, 3, 9, 21)
    x = torch.cat([x[:1], x[1:].flip(1)])
    once = compressed(x, 3.0)
    assert torch.equal(once, once[..., :1, :1].expand_as(once))
    assert (once - x).abs().max() < 10 / 255  # half a step of chroma, times 1.772
    assert torch.equal(compressed(once, 3.0), once)


def test_other_counts_of_channels_are_grey_images():
    x = torch.rand(2, 4, 10, 12)
    channels = [compressed(x[:, c : c + 1], 2.5) for c in range(4)]
    assert torch.equal(compressed(x, 2.5), torch.cat(channels, 1))
