"""What all fifteen corruptions promise."""

import pytest
import torch

from robust_train import Corruption
from robust_train.randomness import Streams
from robust_train.transforms.corruptions import KINDS

every = pytest.mark.parametrize("kind", list(KINDS))
shapes = pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 24), (3, 8, 8), (2, 9, 70)])

# The published tables themselves are not monotone: glass and frost add more, but blur and darken more
# too. Elastic images are pulled less and shaken more, which smooth images do not feel.
DIPPING, SHAKEN = ("glass_blur", "frost"), "elastic_transform"


def smooth_images(count, shape, dtype=torch.float32):
    """Fixed random images whose pixels resemble their neighbours."""
    generator = torch.Generator().manual_seed(1)
    channels, height, width = shape
    coarse = torch.rand(count, channels, 4, 4, generator=generator, dtype=dtype)
    return torch.nn.functional.interpolate(coarse, size=(height, width), mode="bilinear")


def corrupt(kind, inputs, severity, seed=0):
    severity = torch.as_tensor(severity, dtype=torch.float64).expand(len(inputs))[:, None]
    return Corruption(kind=kind)(inputs, severity, Streams.of(seed, range(len(inputs))))


@every
@shapes
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_images_stay_images_and_severity_zero_changes_nothing(kind, shape, dtype):
    x = smooth_images(4, shape, dtype)
    y = corrupt(kind, x, torch.tensor([0.0, 0.7, 3.3, 5.0]))
    assert (y.shape, y.dtype) == (x.shape, dtype)
    assert y.isfinite().all()
    assert (y >= 0).all()
    assert (y <= 1).all()
    assert torch.equal(y[0], x[0])
    assert (y[2:] != x[2:]).flatten(1).any(1).all()
    assert corrupt(kind, x[:0], 3.0).shape == (0, *shape)


@every
@shapes
def test_an_image_does_not_depend_on_its_batch_mates(kind, shape):
    x, severity = smooth_images(4, shape), torch.tensor([[1.0], [4.5], [2.2], [0.4]])
    rng = Streams.of(3, range(4))
    together = Corruption(kind=kind)(x, severity, rng)
    for k in torch.arange(4):
        alone = Corruption(kind=kind)(x[k : k + 1], severity[k : k + 1], rng.take(k[None]))
        torch.testing.assert_close(together[k : k + 1], alone, rtol=0, atol=1e-6)


@every
@pytest.mark.parametrize("shape", [(3, 32, 32), (3, 72, 72)])
def test_more_is_worse(kind, shape):
    x = smooth_images(16, shape)
    first, middle, last = ((corrupt(kind, x, s) - x).flatten(1).norm(dim=1).mean() for s in (1, 3, 5))
    assert min(first, middle, last) > 0
    assert first < last or kind == SHAKEN
    assert first < middle < last or kind in (*DIPPING, SHAKEN)


@every
def test_black_and_white_images_pass(kind):
    x = torch.stack([torch.zeros(3, 16, 16), torch.ones(3, 16, 16)])
    assert corrupt(kind, x, 5.0).isfinite().all()


def test_an_unknown_kind_is_refused():
    with pytest.raises(
        ValueError, match=r"^Corruption: kind must be one of gaussian_noise, .*, not 'rain'\.$"
    ):
        Corruption(kind="rain")


def test_a_call_without_streams_is_refused():
    with pytest.raises(ValueError, match=r"give it a stream for each image"):
        Corruption(kind="fog")(torch.rand(1, 3, 8, 8), torch.ones(1, 1))


def test_there_are_fifteen_in_the_order_of_the_benchmark():
    names = "gaussian_noise shot_noise impulse_noise defocus_blur glass_blur motion_blur zoom_blur snow"
    names += " frost fog brightness contrast elastic_transform pixelate jpeg_compression"
    assert list(KINDS) == names.split()
