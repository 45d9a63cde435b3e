"""The layer is watched for as long as it is asked for."""

import pytest
import torch
from torch import nn

from robust_train.attacking.activations import path_of, representation
from robust_train.attacking.gradients import Counted
from tests.toy_networks import convolutional


def test_it_is_what_the_layer_returns():
    network, x = convolutional(), torch.rand(3, 1, 8, 8)
    with representation(network, "2") as phi:
        assert torch.equal(phi(x), network[:3](x).flatten(1))
    with representation(network, None) as phi:
        assert torch.equal(phi(x), network(x))


def test_the_names_of_wrappers_do_not_matter():
    network, x = convolutional(), torch.rand(3, 1, 8, 8)
    with representation(Counted(network), "0") as phi:
        assert torch.equal(phi(x), network[0](x).flatten(1))


def test_the_exact_name_wins_and_several_ends_are_refused():
    inner = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 5))
    network, x = nn.Sequential(inner, nn.Linear(5, 4)), torch.rand(3, 2)
    with representation(network, "1") as phi:
        assert torch.equal(phi(x), network(x))
    assert path_of("2", ["localiser.2", "network.2", "network.head.2"]) == "network.2"
    with (
        pytest.raises(ValueError, match=r"has several layers '0': give one of its layers \(a\.0, b\.0\)"),
        representation(nn.ModuleDict({"a": nn.Sequential(inner[0]), "b": nn.Sequential(inner[1])}), "0"),
    ):
        pass


def test_nothing_is_left_behind_also_when_it_raises():
    network = convolutional()
    for bad in (torch.zeros(1), torch.rand(3, 1, 8, 8)):
        try:
            with representation(network, "0") as phi:
                phi(bad)
        except RuntimeError:
            assert bad.ndim == 1
        assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize("network", [nn.Sequential(nn.Linear(2, 2)), lambda x: x])
def test_a_layer_that_is_not_there_is_refused(network):
    with (
        pytest.raises(
            ValueError, match=r"^The network has no layer 'head': give one of its layers \((0|none)"
        ),
        representation(network, "head"),
    ):
        pass
