"""Fine-tuning on a data set that was perturbed once."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy

from robust_train import AdversarialFineTuning, DeepFool, RobustClassifier
from tests.closed_forms import minimal_sizes
from tests.defenses.examples import make_step
from tests.defenses.training import assert_same_weights, fit, sgd
from tests.snapshots import snapshot
from tests.toy_networks import convolutional, linear


def test_five_epochs_are_those_on_a_data_set_that_was_perturbed_before():
    network, data = convolutional(dtype=torch.float64), make_step(24, dtype=torch.float64)
    network[3].p = 0.0  # without dropout, whose draws the two would not share
    reference = deepcopy(network)
    found = DeepFool.as_published()(reference, data.inputs, data.labels).inputs
    perturbed = found.clamp(0, 1)
    assert (found != perturbed).any()
    assert (DeepFool()(reference, data.inputs, data.labels).inputs != perturbed).any()
    optimizer = sgd(reference.train().parameters())
    for _ in range(5):
        for x, y in zip(perturbed.split(8), data.labels.split(8), strict=True):
            optimizer.zero_grad()
            cross_entropy(reference(x), y).backward()
            optimizer.step()
    model = RobustClassifier(network, [AdversarialFineTuning()], sgd)
    fit(model, data, batch=8, epochs=5)
    assert_same_weights(network, reference)


@pytest.mark.parametrize("alpha", [1.0, 2.0])
def test_on_a_linear_network_the_images_lie_just_behind_the_boundary_times_alpha(alpha):
    network, step = linear((1, 4, 4), 3), make_step(8, (1, 4, 4), dtype=torch.float64)
    inputs = 0.5 + 0.02 * (step.inputs - 0.5)  # far from the walls
    labels = network(inputs).argmax(1)
    found = AdversarialFineTuning(DeepFool(overshoot=1e-4), alpha).batch(
        network, replace(step, inputs=inputs)
    )
    sizes = (found.inputs - inputs).flatten(1).norm(dim=1)
    expected = alpha * torch.from_numpy(minimal_sizes(network, inputs, labels, "l2"))
    torch.testing.assert_close(sizes, expected, rtol=2e-3, atol=1e-6)


def test_the_copy_is_of_the_first_weights_and_no_part_of_the_network():
    network, step = convolutional(), make_step(6)
    before, names = snapshot(network), [name for name, _ in network.named_modules()]
    first = AdversarialFineTuning().batch(network, step).inputs
    assert snapshot(network) == before
    assert [name for name, _ in network.named_modules()] == names
    network[-1].weight.data.neg_()
    assert torch.equal(AdversarialFineTuning().batch(network, step).inputs, first)
    AdversarialFineTuning().begin(network)
    assert not torch.equal(AdversarialFineTuning().batch(network, step).inputs, first)


def test_a_second_training_starts_from_the_weights_that_it_finds_and_keeps_no_copy():
    network, data = convolutional(dtype=torch.float64), make_step(16, dtype=torch.float64)
    network[3].p = 0.0
    model = RobustClassifier(network, [AdversarialFineTuning()], sgd)
    fit(model, data, batch=8)
    assert not {id(one) for one in vars(network).values() if isinstance(one, list) and one}
    once = deepcopy(network)
    fit(model, data, batch=8)
    fit(RobustClassifier(once, [AdversarialFineTuning()], sgd), data, batch=8)
    assert_same_weights(network, once)


def test_a_factor_without_a_meaning_is_refused():
    with pytest.raises(ValueError, match=r"^AdversarialFineTuning: alpha must be positive, not 0"):
        AdversarialFineTuning(alpha=0.0)
