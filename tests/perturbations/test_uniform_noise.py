"""Uniform noise: its law."""

import pytest
import torch
from scipy.stats import kstest, uniform

from robust_train import UniformNoise
from tests.toy_networks import Constant


def noise(regime, inputs):
    found = regime(Constant([1.0, 0.0]), inputs, torch.zeros(len(inputs), dtype=torch.int64))
    return found.inputs - inputs, found.size


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_the_size_has_the_law_of_a_uniform_point_of_the_ball(norm):
    _, size = noise(UniformNoise(norm=norm, eps=0.7), torch.rand(4000, 1, 2, 3, dtype=torch.float64))
    assert (size <= 0.7).all()
    # The volume inside a radius grows with its sixth power.
    assert kstest((size / 0.7) ** 6, uniform.cdf).pvalue > 0.01


def test_pixels_are_uniform_and_independent_in_linf():
    r, _ = noise(UniformNoise(eps=0.5), torch.rand(4000, 1, 2, 2, dtype=torch.float64))
    r = r.flatten(1)
    assert kstest(r[:, 0] + 0.5, uniform.cdf).pvalue > 0.01
    assert (torch.corrcoef(r.T) - torch.eye(4)).abs().max() < 5 / 4000**0.5


def test_a_box_cuts_it_short():
    r, size = noise(UniformNoise(eps=0.5, bounds=(0.0, 1.0)), torch.zeros(8, 20))
    assert (r >= 0).all()
    assert ((size > 0) & (size <= 0.5)).all()
