"""Where the noise goes, what a draw does, and what is left of the network."""

import pytest
import torch
from torch import nn

from robust_train import VIB, NoiseLayers, UncertaintyDetector
from robust_train.networks.noise import Noise, drawn
from tests.toy_networks import convolutional, linear


def test_noise_goes_in_front_of_every_dense_layer():
    inner = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    network = NoiseLayers(first=0.5, sigma=0.25).wrap(inner).eval()
    x = torch.rand(3, 1, 2, 2)
    with drawn(network, 2):
        found = network(x)
        e, d = (noise.normal(torch.zeros(1, n)) for noise, n in zip(network.noises, (4, 3), strict=True))
    h = inner[2](inner[1](x.flatten(1) + 0.5 * e))
    torch.testing.assert_close(found, inner[3](h + 0.25 * d))


def test_of_a_convolutional_network_it_goes_in_front_of_the_convolutions():
    network = NoiseLayers().wrap(convolutional())
    assert network.names == ["0"]


def test_the_network_inside_is_left_alone():
    inner, x = convolutional(), torch.rand(2, 1, 8, 8)
    expected, names = inner(x), list(inner.state_dict())
    network = NoiseLayers().wrap(inner).eval()
    assert not torch.equal(network(x), expected)
    assert torch.equal(inner(x), expected)
    assert list(inner.state_dict()) == names
    assert not any(module._forward_pre_hooks for module in inner.modules())


def test_no_noise_changes_nothing():
    inner, x = linear((1, 2, 2), 3), torch.rand(2, 1, 2, 2, dtype=torch.float64)
    assert torch.equal(NoiseLayers(first=0.0, sigma=0.0).wrap(inner).train()(x), inner(x))


def test_no_layer_draws_what_another_one_in_the_network_draws():
    inner = VIB((1, 2, 2), [8], 4, 3, decoding="draws")
    network = NoiseLayers().wrap(NoiseLayers().wrap(inner)).eval()
    noises = [module for module in network.modules() if isinstance(module, Noise)]
    draws = {tuple(noise.normal(torch.zeros(1, 4)).flatten().tolist()) for noise in noises}
    assert len(draws) == len(noises) == 7


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match=r"^NoiseLayers: the network holds a detector, .* list NoiseLayers"):
        NoiseLayers().wrap(UncertaintyDetector().wrap(convolutional()))
    with pytest.raises(ValueError, match=r"^NoiseLayers: sigma must be at least 0, not -0\.1\.$"):
        NoiseLayers(sigma=-0.1)
    with pytest.raises(ValueError, match=r"^NoiseLayers: the network has neither a convolution nor a dense"):
        NoiseLayers().wrap(nn.Flatten())
