"""Nothing leaks: networks and global random states are bit for bit what they were."""

from contextlib import suppress

import pytest
import torch

from robust_train.attacking.modes import attack_mode
from tests.perturbations.examples import EVERY, name, ready
from tests.snapshots import snapshot
from tests.toy_networks import FailingAt, convolutional

every = pytest.mark.parametrize("perturbation", EVERY, ids=name)
labels = torch.zeros(6, dtype=torch.int64)


def trained():
    """With gradients on some parameters, and one parameter that asks for none."""
    network = convolutional()
    network[0].bias.requires_grad_(False)
    network(torch.rand(2, 1, 8, 8)).sum().backward()
    return network


@every
def test_a_network_in_evaluation_mode_is_left_as_it_was(perturbation):
    network, inputs = trained(), torch.rand(6, 1, 8, 8)
    before = snapshot(network)
    ready(perturbation, network, inputs)(network, inputs, labels)
    assert snapshot(network) == before


@every
def test_attack_mode_restores_a_network_in_training_mode(perturbation):
    network, inputs = trained(), torch.rand(6, 1, 8, 8)
    network.train()
    network[3].eval()
    before = snapshot(network)
    with attack_mode(network):
        ready(perturbation, network, inputs)(network, inputs, labels)
        torch.rand(1)
    assert snapshot(network) == before


@every
@pytest.mark.parametrize("call", [1, 2, 5])
def test_a_network_that_raises_is_left_as_it_was(perturbation, call):
    network, inputs = FailingAt(trained().train(), call), torch.rand(6, 1, 8, 8)
    before = snapshot(network)
    with suppress(FloatingPointError), attack_mode(network):
        while network(inputs) is not None:
            ready(perturbation, network, inputs)(network, inputs, labels)
        pytest.fail("the network never raised")
    assert snapshot(network) == before


@every
def test_it_works_in_every_gradient_mode(perturbation):
    network, inputs = convolutional(), torch.rand(6, 1, 8, 8)
    expected = ready(perturbation, network, inputs)(network, inputs, labels)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            found = ready(perturbation, network, inputs)(network, inputs.clone(), labels.clone())
            assert not torch.is_grad_enabled()
        assert torch.equal(found.inputs, expected.inputs)
        assert torch.equal(found.size, expected.size)


@every
def test_no_parameter_asks_for_a_gradient_meanwhile(perturbation):
    network, inputs, asked = trained(), torch.rand(6, 1, 8, 8), []
    network.register_forward_hook(lambda *_: asked.extend(p.requires_grad for p in network.parameters()))
    ready(perturbation, network, inputs)(network, inputs, labels)
    assert not any(asked)


@every
def test_a_plain_function_is_a_network_too(perturbation):
    network, inputs = trained(), torch.rand(6, 1, 8, 8)
    expected, before = ready(perturbation, network, inputs)(network, inputs, labels), snapshot(network)
    found = ready(perturbation, lambda x: network(x), inputs)(lambda x: network(x), inputs, labels)
    assert torch.equal(found.inputs, expected.inputs)
    assert snapshot(network) == before
