"""A substitute learns from labels alone, and what it is fooled by fools the target."""

from dataclasses import replace

import pytest
import torch

from robust_train import ATN, FGSM, PGD, GaussianNoise, Goal, Substitute, UniversalGradient
from robust_train.attacking.gradients import Counted
from robust_train.randomness import Streams
from tests.toy_networks import convolutional, linear

rng = Streams.of(0, [0])
small = Substitute(eps=0.15, images=100, rounds=2, epochs=30, width=8)


def case():
    network = linear((10,), 3, torch.float32)
    network[-1].bias.data.copy_(-network[-1].weight.data.sum(1) / 2)  # boundaries through the middle
    lessons, inputs = torch.rand(100, 10), torch.rand(200, 10)
    return network, [(lessons, torch.zeros(100, dtype=torch.int64))], inputs, network(inputs).argmax(1)


def test_it_agrees_with_a_linear_target_and_its_perturbations_transfer():
    network, lessons, inputs, labels = case()
    attack = small.fit(network, lessons, rng)
    assert (attack.network(inputs).argmax(1) == labels).double().mean() > 0.85
    rates = [
        Goal(labels).reached(network(a(network, inputs, labels).inputs)).double().mean().item()
        for a in (attack, PGD(eps=0.15), GaussianNoise(norm="linf", eps=0.15, bounds=(0.0, 1.0)))
    ]
    assert rates[0] > 0.8 * rates[1]
    assert rates[0] > 3 * rates[2]


def test_labels_are_all_that_is_asked_for_and_no_more_than_was_said():
    network, lessons, inputs, labels = case()
    counted = Counted(lambda x: 3.0 * torch.nn.functional.one_hot(network(x).argmax(1), 3))
    blind, seeing = small.fit(counted, lessons, rng), small.fit(network, lessons, rng)
    assert counted.forwards == 100 * 2**2
    assert counted.backwards == 0
    counted.forwards = 0
    one, other = (a(n, inputs, labels) for a, n in ((blind, counted), (seeing, network)))
    assert counted.forwards == 0
    assert torch.equal(one.inputs, other.inputs)


def test_it_is_the_same_whatever_the_global_generator_and_the_batches():
    network, ((images, labels),), inputs, predicted = case()
    one = small.fit(network, [(images, labels)], rng)
    torch.rand(7)
    other = small.fit(network, [(images[:30], labels[:30]), (images[30:], labels[30:])], rng)
    assert torch.equal(one(network, inputs, predicted).inputs, other(network, inputs, predicted).inputs)


def test_images_get_a_convolutional_substitute_and_the_target_is_left_alone():
    network, images = convolutional(), torch.rand(20, 1, 8, 8)
    before = [p.clone() for p in network.parameters()]
    attack = replace(small, rounds=1, epochs=1).fit(network, [(images, torch.zeros(20))], rng)
    assert isinstance(attack.network[0], torch.nn.Conv2d)
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))
    assert all(p.grad is None and p.requires_grad for p in network.parameters())


@pytest.mark.parametrize("learner", [UniversalGradient(), ATN(epochs=20)], ids=["vector", "network"])
def test_a_search_that_learns_does_so_on_the_substitute(learner):
    network, lessons, inputs, labels = case()
    counted = Counted(network)
    attack = replace(small, budgeted=learner).fit(counted, lessons, rng)
    assert counted.forwards == 100 * 2**2
    found = attack(counted, inputs, labels)
    alone = replace(learner, eps=0.15, bounds=(0.0, 1.0)).fit(attack.network, lessons, rng.fold(4))
    assert torch.equal(found.inputs, alone(attack.network, inputs, labels).inputs)
    assert Goal(labels).reached(network(found.inputs)).any()
    assert not learner.fitted


def test_a_use_in_another_precision_leaves_it_as_it_was_fitted():
    network, ((images, labels),), inputs, predicted = case()
    attack = replace(small, rounds=0, epochs=1).fit(network.double(), [(images.double(), labels)], rng)
    before = [p.clone() for p in attack.network.parameters()]
    attack(network.float(), inputs, predicted)
    assert all(torch.equal(a, b) for a, b in zip(before, attack.network.parameters(), strict=True))
    assert before[0].dtype == attack.network[1].weight.dtype == torch.float64


def test_what_has_no_meaning_is_refused():
    with pytest.raises(ValueError, match=r"^Substitute: rounds must be at least 0"):
        Substitute(rounds=-1)
    with pytest.raises(ValueError, match=r"^Substitute: FGSM searches l2 but the budget is linf: give both"):
        Substitute(budgeted=FGSM(norm="l2"))
    with pytest.raises(ValueError, match=r"^Substitute has no images"):
        Substitute().fit(convolutional(), [], rng)
    with pytest.raises(ValueError, match=r"^Substitute has not been trained"):
        Substitute()(convolutional(), torch.rand(1, 1, 8, 8), torch.zeros(1, dtype=torch.int64))
