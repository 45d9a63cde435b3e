"""The value rises, hue and saturation stay."""

import colorsys

import pytest
import torch

from robust_train.transforms.corruptions.brightness import brightness

SMALL = [0.0, 0.05, 0.10, 0.15, 0.20, 0.30]


def brightened(inputs, severity):
    return brightness(inputs, torch.full((len(inputs),), severity, dtype=torch.float64), None)


def test_the_value_rises_by_the_published_amount_while_hue_and_saturation_stay():
    x = torch.rand(1, 3, 4, 5, dtype=torch.float64)
    for severity in range(6):
        y = brightened(x, float(severity))
        for before, after in zip(x[0].flatten(1).T.tolist(), y[0].flatten(1).T.tolist(), strict=True):
            hue, saturation, value = colorsys.rgb_to_hsv(*before)
            expected = colorsys.hsv_to_rgb(hue, saturation, min(value + SMALL[severity], 1))
            assert after == pytest.approx(expected)


def test_in_between_the_amount_is_interpolated_and_large_images_get_more():
    grey = torch.full((1, 1, 8, 65), 0.25)
    torch.testing.assert_close(brightened(grey[..., :8], 4.5), grey[..., :8] + 0.25)
    torch.testing.assert_close(brightened(grey, 4.5), grey + 0.45)


def test_black_becomes_grey_even_next_to_the_smallest_numbers():
    x = torch.tensor([0.0, 1e-44]).view(2, 1, 1, 1).expand(2, 3, 1, 1)
    torch.testing.assert_close(brightened(x, 5.0)[0], torch.full((3, 1, 1), 0.3))
    assert brightened(x, 5.0).isfinite().all()
