"""Gaussian noise: mean and variance."""

import pytest
import torch

from robust_train import Corruption
from robust_train.randomness import Streams


@pytest.mark.parametrize(
    ("side", "severity", "sigma"), [(64, 1, 0.04), (64, 4.5, 0.095), (65, 1, 0.08), (65, 0.5, 0.04)]
)
def test_its_deviation_is_the_published_one(side, severity, sigma):
    x = torch.full((4, 3, side, side), 0.5)
    y = Corruption(kind="gaussian_noise")(x, torch.full((4, 1), severity).double(), Streams.of(0, range(4)))
    assert abs((y - x).mean()) < 4 * sigma / y.numel() ** 0.5
    assert (y - x).std().item() == pytest.approx(sigma, rel=0.02)
