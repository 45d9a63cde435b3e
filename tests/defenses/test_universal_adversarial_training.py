"""Universal adversarial training against its paper's algorithm, written out."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy

from robust_train import RobustClassifier, UniversalAdversarialTraining
from robust_train.defenses.carrying import carried
from tests.defenses.examples import make_step
from tests.defenses.training import assert_same_weights, fit, sgd
from tests.toy_networks import convolutional, linear

EPS, ALPHA = 0.1, 0.03


def plainly(network, data):
    """The paper's alternating stochastic gradient method, in [0, 1], with batches of 8 images."""
    optimizer, delta = sgd(network.parameters()), torch.zeros_like(data.inputs[0])
    for x, y in zip(data.inputs.split(8), data.labels.split(8), strict=True):
        inputs = (x + delta).clamp(0, 1).requires_grad_()
        optimizer.zero_grad()
        cross_entropy(network.train()(inputs), y).backward()
        delta = (delta + ALPHA * inputs.grad.mean(0).sign()).clamp(-EPS, EPS)
        optimizer.step()


def test_ten_steps_are_those_of_the_paper_s_algorithm():
    network, data = convolutional(dtype=torch.float64), make_step(77, dtype=torch.float64)
    network[3].p = 0.0  # without dropout, whose draws the two would not share
    reference = deepcopy(network)
    plainly(reference, data)
    defense = UniversalAdversarialTraining(eps=EPS, step_size=ALPHA / EPS)
    assert fit(RobustClassifier(network, [defense], sgd), data, batch=8).global_step == 10
    assert_same_weights(network, reference)


@pytest.mark.parametrize("label", [0, 1])
def test_on_two_classes_it_climbs_along_the_weights_from_the_class_of_most(label):
    network, step = linear((1, 4, 4), 2, torch.float32), make_step(8, shape=(1, 4, 4))
    labels = torch.full((8,), label)
    labels[0] = 1 - label
    step = replace(step, inputs=torch.full_like(step.inputs, 0.5), labels=labels)
    w = (network[1].weight[1] - network[1].weight[0]).view(1, 4, 4)
    defense = UniversalAdversarialTraining(eps=0.1, step_size=0.7)
    for size in (0.0, 0.07, 0.1, 0.1):
        inputs = defense.batch(network, step).inputs.requires_grad_()
        torch.testing.assert_close(
            inputs - step.inputs, (size * (1 - 2 * label) * w.sign()).expand(8, 1, 4, 4)
        )
        cross_entropy(network(inputs), labels).backward()
        defense.after_backward(network, replace(step, inputs=inputs))


def test_it_is_the_same_for_batches_of_any_length():
    network, step = linear((1, 8, 8), 10, torch.float32), make_step(6)
    inputs = step.inputs.requires_grad_()
    cross_entropy(network(inputs), step.labels).backward()
    defense = UniversalAdversarialTraining(eps=0.1)
    defense.after_backward(network, step)
    delta = carried(network, torch.zeros(1, 1, 8, 8))
    assert delta.abs().eq(0.1).all()
    for count in (1, 9):
        other = make_step(count, seed=1)
        assert torch.equal(defense.batch(network, other).inputs, (other.inputs + delta).clamp(0, 1))


@pytest.mark.parametrize("fields", [{"eps": 0.0}, {"step_size": -1.0}])
def test_numbers_without_a_meaning_are_refused(fields):
    with pytest.raises(ValueError, match=f"^UniversalAdversarialTraining: {next(iter(fields))} must be pos"):
        UniversalAdversarialTraining(**fields)
