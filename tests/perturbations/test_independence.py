"""A sample does not depend on its batch-mates: any batch size and order gives the same."""

import pytest
import torch

from robust_train.randomness import Streams
from robust_train.types import Goal, Perturbed
from tests.perturbations.examples import EVERY, name, ready
from tests.toy_networks import convolutional

every = pytest.mark.parametrize("perturbation", EVERY, ids=name)


def images(count, dtype):
    generator = torch.Generator().manual_seed(1)
    inputs = torch.rand(count, 1, 8, 8, generator=generator, dtype=dtype)
    return inputs, torch.randint(10, (count,), generator=generator)


def run(perturbation, network, inputs, labels, order, batch):
    """The samples in the given order and batches, put back in the order of the data set."""
    perturbation = ready(perturbation, network, inputs)
    found = [
        perturbation(network, inputs[rows], labels[rows], rng=Streams.of(3, rows))
        for rows in order.split(batch)
    ]
    back = order.argsort()
    inputs, size = (torch.cat([getattr(f, part) for f in found])[back] for part in ("inputs", "size"))
    return Perturbed(inputs, size)


@every
def test_sizes_agree_in_float64_for_any_batch_and_order(perturbation):
    network, (inputs, labels) = convolutional(dtype=torch.float64), images(64, torch.float64)
    whole = run(perturbation, network, inputs, labels, torch.arange(64), 64)
    for order, batch in ((torch.arange(64), 1), (torch.arange(64), 7), (torch.randperm(64), 7)):
        parts = run(perturbation, network, inputs, labels, order, batch)
        torch.testing.assert_close(parts.size, whole.size, rtol=1e-4, atol=0)
        torch.testing.assert_close(parts.inputs, whole.inputs, rtol=0, atol=1e-6)


@every
def test_the_same_batch_gives_the_same_bits(perturbation):
    network, (inputs, labels) = convolutional(), images(16, torch.float32)
    one, other = (run(perturbation, network, inputs, labels, torch.arange(16), 16) for _ in range(2))
    assert torch.equal(one.inputs, other.inputs)
    assert torch.equal(one.size, other.size)


@every
def test_outcomes_agree_in_float32_for_999_in_1000(perturbation):
    assert disagreements(perturbation, [(torch.arange(1000), 128), (torch.randperm(1000), 500)]) <= 1


@pytest.mark.slow
@every
def test_outcomes_agree_in_float32_for_any_batch(perturbation):
    orders = [(torch.arange(1000), 64), (torch.arange(1000), 7), (torch.arange(1000), 1)]
    assert disagreements(perturbation, orders) <= 1


def disagreements(perturbation, orders):
    """Of 1,000 samples, a fifth of them wrong from the start: at the most, against the first order."""
    network, (inputs, labels) = convolutional(), images(1000, torch.float32)
    predictions = network(inputs).argmax(1)
    labels = torch.where(torch.arange(1000) % 5 == 0, labels, predictions)
    goal = Goal(predictions if perturbation.minimal else labels)
    verdicts = []
    for order, batch in orders:
        found = run(perturbation, network, inputs, labels, order, batch)
        verdicts.append(goal.reached(network(found.inputs)) & found.size.isfinite())
    return max((verdict != verdicts[0]).sum() for verdict in verdicts[1:])
