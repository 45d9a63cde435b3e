"""Networks that perturbations train."""

import torch
from torch import nn

from robust_train.perturbations.training import drawn
from robust_train.randomness import Streams


def test_weights_are_he_s_biases_zero_and_scales_of_normalisation_one():
    def make():
        return nn.Sequential(nn.Linear(50, 400), nn.BatchNorm1d(400), nn.ReLU(), nn.Linear(400, 10))

    before = torch.get_rng_state()
    network = drawn(make, Streams.of(0, [0]), torch.zeros(1, dtype=torch.float64))
    assert torch.equal(torch.get_rng_state(), before)
    assert abs(network[0].weight.std() - (2 / 50) ** 0.5) < 0.01
    assert abs(network[3].weight.std() - (2 / 400) ** 0.5) < 0.01
    assert not any(network[k].bias.any() for k in (0, 1, 3))
    assert (network[1].weight == 1).all()
    again = drawn(make, Streams.of(0, [0]), torch.zeros(1, dtype=torch.float64))
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), again.parameters(), strict=True))
