"""Gaussian noise: its size and its law."""

import pytest
import torch
from scipy.stats import beta, kstest

from robust_train import GaussianNoise
from tests.toy_networks import Constant

network = Constant([1.0, 0.0])


def noise(regime, inputs):
    return regime(network, inputs, torch.zeros(len(inputs), dtype=torch.int64))


@pytest.mark.parametrize(("dtype", "short"), [(torch.float32, 2e-5), (torch.float64, 1e-11)])
@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_the_size_is_the_budget(norm, dtype, short):
    inputs = torch.rand(64, 3, 8, 8, dtype=dtype)
    size = noise(GaussianNoise(norm=norm, eps=0.7), inputs).size
    assert (size <= 0.7).all()
    assert (size >= 0.7 * (1 - short)).all()


def test_directions_are_uniform_on_the_sphere():
    inputs = torch.rand(4000, 6, dtype=torch.float64)
    r = noise(GaussianNoise(eps=1.0), inputs).inputs - inputs
    # Five standard errors of a mean whose variance is 1 / (6 n).
    assert (r.mean(0).abs() < 5 / (6 * 4000) ** 0.5).all()
    for coordinate in (0, 5):
        assert kstest(r[:, coordinate].square(), beta(0.5, 2.5).cdf).pvalue > 0.01


def test_a_box_cuts_it_short():
    inputs = torch.zeros(8, 20)
    found = noise(GaussianNoise(eps=0.5, bounds=(0.0, 1.0)), inputs)
    assert (found.inputs >= 0).all()
    assert (found.size < 0.5).all()
    assert (found.size > 0).all()
