"""Three points that move, and a field that is smooth."""

import pytest
import torch

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.elastic_transform import _pulled_back, _smooth, elastic_transform
from robust_train.transforms.warp import centered


def stretched(inputs, severity):
    severities = torch.full((len(inputs),), severity, dtype=torch.float64)
    return elastic_transform(inputs, severities, Streams.of(0, range(len(inputs))))


def displacement(side, severity, count=8):
    """What horizontal and vertical ramps show of how far the middle of the image was moved, in pixels."""
    ramp = torch.arange(side, dtype=torch.float64).expand(1, side, side)
    x = torch.stack([ramp, ramp.mT], 1).expand(count, 2, side, side)
    middle = slice(side // 2 - 1, side // 2 + 1)
    return (stretched(x, severity) - x)[..., middle, middle]


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 24), (2, 1, 5), (1, 70, 66)])
def test_constant_images_stay(shape):
    x = torch.full((3, *shape), 0.3)
    for severity in (0.5, 1.0, 2.5, 5.0):
        torch.testing.assert_close(stretched(x, severity), x)


def test_the_three_corners_come_from_where_they_were():
    moved = torch.rand(4, 3, 2, dtype=torch.float64)
    corners = torch.tensor([[2.0, 2.0], [2.0, -2.0], [-2.0, -2.0]]).double()
    back = torch.cat([_pulled_back(corners + m, moved, 8)[k, None] for k, m in enumerate(moved)])
    torch.testing.assert_close(back, corners.expand(4, 3, 2))


def test_noise_is_smoothed_as_by_a_gaussian_that_sees_its_mirror_image():
    noise = torch.rand(1, 2, 9, 14, dtype=torch.float64)
    u = torch.arange(-60, 61)
    for width in (1.0, 6.0):
        expected = noise
        for axis in (2, 3):
            length = noise.shape[axis]
            kernel = torch.softmax(-u.double().square() / (2 * width**2), 0)
            folded = (torch.arange(length)[:, None] + u) % (2 * length)
            folded = torch.minimum(folded, 2 * length - 1 - folded)
            expected = (expected.movedim(axis, -1)[..., folded] @ kernel).movedim(-1, axis)
        smooth = _smooth(noise, torch.full((1, 1, 1, 1), width, dtype=torch.float64))
        torch.testing.assert_close(smooth, expected, rtol=0, atol=0.02 if width == 1 else 1e-9)
    assert torch.allclose(_smooth(noise, torch.zeros(1, 1, 1, 1, dtype=torch.float64)), noise)


@pytest.mark.parametrize(
    ("side", "severity", "most"),
    [(32, 1.0, 2.56), (32, 3.0, 1.92 + 2.56), (32, 5.0, 0.96 + 3.2), (224, 3.0, 4.88 + 12.2)],
)
def test_the_middle_moves_no_further_than_published(side, severity, most):
    # An affine map moves the middle of the diagonal, which two of the points span, by at most their mean.
    moved = displacement(side, severity)
    assert 0.1 < moved.abs().max() <= 1.2 * most


def test_what_is_drawn_is_the_same_at_all_severities():
    little, most = displacement(32, 0.1), displacement(32, 1.0)
    # Not in proportion, since it is the inverse of an affine map.
    assert torch.cosine_similarity(little.flatten(), most.flatten(), dim=0) > 0.98
    torch.testing.assert_close(displacement(32, 0.2), 2 * little, rtol=0.05, atol=0.01)


def test_places_of_non_square_images_are_in_pixels_along_both_axes():
    places = centered(6, 9, torch.device("cpu"))
    still = _pulled_back(places, torch.zeros(2, 3, 2, dtype=torch.float64), 6)
    torch.testing.assert_close(still, places.expand(2, -1, 2))
    shift = torch.tensor([1.0, -2.0]).double().expand(1, 3, 2)
    torch.testing.assert_close(_pulled_back(places, shift, 6), places[None] - shift[:, :1])
