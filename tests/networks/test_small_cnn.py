import pytest
import torch
from torch import nn

from robust_train.networks import SmallCNN


@pytest.mark.parametrize(
    ("fields", "parameters"),
    [
        ({}, 669_226),
        ({"in_shape": (1, 8, 8), "width": 16}, 29_722),
        ({"in_shape": (3, 32, 32)}, 854_122),
    ],
)
def test_parameters(fields, parameters):
    assert sum(p.numel() for p in SmallCNN(**fields).parameters()) == parameters


@pytest.mark.parametrize("batch_norm", [False, True])
def test_batch_normalisation_follows_each_convolution_if_asked_for(batch_norm):
    layers = list(SmallCNN((1, 8, 8), width=4, batch_norm=batch_norm).features)
    after = [type(layers[i + 1]) for i, layer in enumerate(layers) if isinstance(layer, nn.Conv2d)]
    assert after == [nn.BatchNorm2d if batch_norm else nn.ReLU] * 4


@pytest.mark.parametrize("size", [(4, 4), (8, 8), (9, 15), (32, 32)])
def test_sizes_follow_the_fields(size):
    assert SmallCNN((2, *size), width=2)(torch.rand(3, 2, *size)).shape == (3, 10)


def test_too_small_images_are_refused():
    with pytest.raises(ValueError, match="3x8 pixels are less than 4x4"):
        SmallCNN((1, 3, 8))


def test_it_learns():
    network, images, labels = SmallCNN((1, 8, 8), width=8), torch.rand(16, 1, 8, 8), torch.arange(16) % 10
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(100):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(images), labels).backward()
        optimizer.step()
    assert torch.equal(network(images).argmax(1), labels)
