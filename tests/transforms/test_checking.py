"""What has no rows and columns is refused in one sentence, wherever they are asked for."""

import pytest
import torch

from robust_train import (
    Affine,
    Brightness,
    Contrast,
    Corrupted,
    Corruption,
    Deformation,
    Gamma,
    GaussianBlur,
    Manitest,
    Occlusion,
    Placement,
    Rigid,
    Rotation,
    SmallestOcclusion,
    SmallestSeverity,
    WorstPose,
)
from robust_train.randomness import Streams
from robust_train.transforms import EyeglassFrame, Occluder
from tests.toy_networks import linear

IMAGES = [Affine(), Corruption(kind="contrast"), Corruption(kind="shot_noise"), Deformation(), GaussianBlur()]
SHAPES = [(2, 16), (2, 4, 4)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("transform", [*IMAGES, Occluder(), Placement(), Rotation()])
def test_flat_features_are_refused_by_what_moves_pixels(transform, shape):
    inputs = torch.rand(shape)
    with pytest.raises(ValueError, match=sentence(transform, shape)):
        transform(inputs, transform.neutral(inputs), Streams.of(0, range(2)))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("transform", [Brightness(), Contrast(), Gamma()])
def test_light_falls_on_flat_features_too(transform, shape):
    inputs = torch.rand(shape)
    torch.testing.assert_close(transform(inputs, transform.neutral(inputs)), inputs)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("search", "owner"),
    [
        (WorstPose(transform=Rotation(), limits=(30.0,), grid=(3,)), Rotation()),
        (Manitest(transform=Rigid()), Rigid()),
        (Occlusion(), Occlusion()),
        (SmallestOcclusion(), SmallestOcclusion()),
        (Corrupted(transform=Corruption(kind="fog"), severity=3.0), Corruption(kind="fog")),
        (SmallestSeverity(transform=GaussianBlur(), largest=2.0), GaussianBlur()),
    ],
)
def test_searches_say_so_too(search, owner, shape):
    with pytest.raises(ValueError, match=sentence(owner, shape)):
        search(linear(shape[1:], 2, torch.float32), torch.rand(shape), torch.tensor([0, 1]))


def test_a_mask_says_so_too():
    with pytest.raises(ValueError, match=sentence(EyeglassFrame(), (2, 16))):
        EyeglassFrame()(torch.rand(2, 16))


def sentence(owner, shape):
    size = ", ".join(map(str, shape[1:]))
    return rf"^{type(owner).__name__}: inputs have shape \(N, {size}\): give images \(N, C, H, W\)\.$"
