"""Shot noise: the law of Poisson."""

import math

import pytest
import torch

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.shot_noise import poisson_quantile, shot_noise


@pytest.mark.parametrize("mean", [0.05, 1.0, 9.99, 10.01, 14.5, 60.0, 500.0])
def test_counts_have_the_probabilities_of_poisson(mean):
    u = (torch.arange(200_000, dtype=torch.float64) + 0.5) / 200_000
    share = poisson_quantile(u, torch.full_like(u, mean)).long().bincount() / 200_000
    k = torch.arange(len(share), dtype=torch.float64)
    truth = torch.exp(k * math.log(mean) - mean - torch.lgamma(k + 1))
    assert (share - truth).abs().max() < 1e-4


@pytest.mark.parametrize(("side", "level", "photons"), [(32, 1, 500), (32, 5, 50), (96, 1, 60), (96, 5, 3)])
def test_mean_and_variance_are_those_of_the_photons(side, level, photons):
    x = torch.full((4, 3, side, side), 0.4)
    y = shot_noise(x, torch.full((4,), float(level)).double(), Streams.of(0, range(4)))
    variance = 0.4 / photons
    assert y.mean().item() == pytest.approx(0.4, abs=4 * (variance / y.numel()) ** 0.5)
    assert y.var().item() == pytest.approx(variance, rel=0.05)
    torch.testing.assert_close(y * photons, (y * photons).round(), rtol=0, atol=1e-4)


def test_black_stays_black_and_little_severity_is_little_noise():
    x = torch.cat([torch.zeros(1, 1, 8, 8), torch.full((1, 1, 8, 8), 0.7)])
    y = shot_noise(x, torch.tensor([5.0, 1e-6]).double(), Streams.of(0, range(2)))
    assert torch.equal(y[0], x[0])
    torch.testing.assert_close(y[1], x[1], rtol=0, atol=1e-3)
