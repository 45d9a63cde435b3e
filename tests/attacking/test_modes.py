"""What each context undoes, also when something raises in it."""

import random
from contextlib import suppress

import numpy as np
import pytest
import torch
from torch import nn

from robust_train.attacking.modes import (
    attack_mode,
    channels_last,
    differentiable,
    evaluating,
    frozen,
    untouched,
)
from tests.snapshots import snapshot
from tests.toy_networks import convolutional


class Counter(nn.Module):
    """A network that makes a new buffer on every call rather than writing to the old one."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls = self.calls + 1
        return x


def mixed():
    """Some modules train and some do not; some parameters ask for gradients and some do not."""
    network = convolutional().train()
    network[1].eval()
    network[0].weight.requires_grad_(False)
    return network


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("mode", [frozen, evaluating, untouched, channels_last, attack_mode])
def test_every_flag_comes_back(mode, fails):
    network = mixed()
    before = snapshot(network)
    with suppress(ZeroDivisionError), mode(network):
        if mode is attack_mode:
            network(torch.rand(2, 1, 8, 8))
        if fails:
            raise ZeroDivisionError
    assert snapshot(network) == before


def test_inside_no_parameter_asks_for_a_gradient_and_no_module_trains():
    network = mixed()
    with frozen(network):
        assert not any(p.requires_grad for p in network.parameters())
    with evaluating(network):
        assert not any(m.training for m in network.modules())
        assert torch.equal(network(torch.ones(1, 1, 8, 8)), network(torch.ones(1, 1, 8, 8)))


def test_inside_convolutions_lie_channels_last_and_mean_the_same():
    network, x = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3)), torch.rand(2, 3, 8, 8)
    expected, places = network(x), [p.data_ptr() for p in network.parameters()]
    with channels_last(network):
        assert network[2].weight.is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(network(x), expected)
    assert network[2].weight.is_contiguous()
    assert [p.data_ptr() for p in network.parameters()] == places


def test_a_backward_pass_that_began_before_is_not_disturbed():
    network, x = nn.Conv2d(3, 4, 3), torch.rand(2, 3, 8, 8, requires_grad=True)
    loss = network(x).square().sum()
    with channels_last(network):
        network(x)
    loss.backward()
    expected = torch.autograd.grad(network(x).square().sum(), network.weight)[0]
    torch.testing.assert_close(network.weight.grad, expected)


def test_compiled_and_double_precision_networks_are_left_alone():
    double = nn.Conv2d(3, 4, 3).double()
    compiled = torch.compile(nn.Sequential(nn.Conv2d(3, 4, 3)))
    for network, weight in ((double, double.weight), (compiled, compiled._orig_mod[0].weight)):
        with channels_last(network):
            assert not weight.is_contiguous(memory_format=torch.channels_last)


def test_a_network_whose_shapes_are_not_known_yet_is_left_alone():
    network = nn.LazyConv2d(2, 3)
    with channels_last(network):
        assert network(torch.rand(1, 3, 8, 8)).shape == (1, 2, 6, 6)


def test_statistics_and_dropout_leave_no_trace():
    network = convolutional().train()
    before = snapshot(network)
    with untouched(network):
        network(torch.rand(4, 1, 8, 8))
        assert snapshot(network) != before
    assert snapshot(network) == before


def test_a_buffer_that_the_network_replaces_comes_back():
    network = Counter()
    with untouched(network):
        network(torch.zeros(1))
    assert network.calls == 0


def test_all_global_random_states_come_back():
    network = convolutional()
    before = snapshot(network)
    with attack_mode(network):
        torch.rand(3), np.random.rand(3), random.random()
    assert snapshot(network) == before


def test_modes_that_are_changed_inside_come_back():
    """As attacks of other libraries do, which switch a network to evaluation and back to training."""
    for network in (convolutional().eval(), mixed()):
        before = snapshot(network)
        with attack_mode(network):
            network.train()
            network.requires_grad_(True)
        assert snapshot(network) == before


def test_gradients_flow_in_any_mode_of_the_caller():
    for outer in (torch.no_grad, torch.inference_mode):
        with outer(), differentiable():
            x = torch.ones(2, requires_grad=True)
            assert torch.autograd.grad((x * x).sum(), x)[0].tolist() == [2.0, 2.0]


def test_a_plain_function_has_nothing_to_undo():
    with attack_mode(torch.sin):
        assert torch.is_grad_enabled()
