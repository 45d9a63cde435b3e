"""A small network, images that it gets mostly right, and a suite of every kind of regime."""

import pytest
import torch
from torch import nn

from robust_train.perturbations import PGD, DeepFool, GaussianNoise, RandomDirection


@pytest.fixture
def network():
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 24), nn.Tanh(), nn.Linear(24, 3))
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.7, generator=torch.Generator().manual_seed(len(parameter)))
    return net.eval()


@pytest.fixture
def data(network):
    """65 images of a grid of pixel values; every eighth label is none that the network predicts."""
    images = torch.randint(0, 257, (65, 1, 4, 4), generator=torch.Generator().manual_seed(0)) / 256
    with torch.no_grad():
        labels = (network(images).argmax(1) + (torch.arange(65) % 8 == 0)) % 3
    return [(image, int(label)) for image, label in zip(images, labels, strict=True)]


@pytest.fixture
def suite():
    return {
        "pgd": PGD(eps=0.1, steps=5, restarts=2),
        "deepfool": DeepFool(),
        "direction": RandomDirection(),
        "noise": GaussianNoise(eps=1.0),
    }
