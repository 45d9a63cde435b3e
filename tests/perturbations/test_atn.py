"""Adversarial transformation networks against the optimum on linear networks."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cosine_similarity

from robust_train import ATN, FGSM, Goal, Margin
from robust_train.attacking.gradients import Counted
from robust_train.randomness import Streams
from tests.toy_networks import convolutional, linear

rng = Streams.of(0, [0])
small = ATN(eps=0.15, epochs=100, learning_rate=0.01, beta=0.0)
both_forms = pytest.mark.parametrize("form", ["perturbation", "autoencoding"])


def case(classes=2):
    network = linear((10,), classes, torch.float32)
    network[-1].weight.data.mul_(3)
    network[-1].bias.data.copy_(-network[-1].weight.data.sum(1) / 2)  # boundaries through the middle
    lessons, inputs = torch.rand(300, 10), torch.rand(200, 10)
    return network, [(lessons, torch.zeros(300, dtype=torch.int64))], inputs, network(inputs).argmax(1)


def rate(network, inputs, labels, found):
    return Goal(labels).reached(network(found)).double().mean().item()


@both_forms
def test_on_a_binary_linear_network_it_is_nearly_the_best_step(form):
    network, lessons, inputs, labels = case()
    attack = replace(small, form=form).fit(network, lessons, rng)
    found = attack(network, inputs, labels).inputs
    best = FGSM(eps=0.15, objective=Margin())(network, inputs, labels).inputs
    assert rate(network, inputs, labels, found) >= 0.85 * rate(network, inputs, labels, best)
    assert cosine_similarity(found - inputs, best - inputs).median() > 0.8


@both_forms
def test_pixels_that_are_black_in_all_images_are_made_use_of(form):
    network, inputs = linear((10,), 2, torch.float32), torch.rand(500, 10)
    inputs[:, :7] = 0
    network[-1].weight.data.mul_(3)
    network[-1].bias.data -= network(inputs).mean(0)
    lessons, (inputs, labels) = inputs[:300], (inputs[300:], network(inputs[300:]).argmax(1))
    attack = replace(small, form=form).fit(network, [(lessons, torch.zeros(300))], rng)
    found = attack(network, inputs, labels).inputs
    best = FGSM(eps=0.15, objective=Margin())(network, inputs, labels).inputs
    assert rate(network, inputs, labels, found) >= 0.95 * rate(network, inputs, labels, best)


def test_perturbations_of_one_class_all_point_along_the_weights():
    network, lessons, inputs, labels = case()
    attack = replace(small, target=1, bounds=None).fit(network, lessons, rng)
    r = (attack(network, inputs, labels).inputs - inputs)[labels == 0]
    w = (network[-1].weight[1] - network[-1].weight[0]).sign()
    assert cosine_similarity(r, w.expand_as(r)).mean() > 0.95


def test_a_target_is_reached_more_often_than_without():
    network, lessons, inputs, labels = case(classes=4)
    target = Goal(torch.full_like(labels, 2), targeted=True)
    rates = [
        target.reached(network(attack.fit(network, lessons, rng)(network, inputs, labels).inputs)).sum()
        for attack in (replace(small, target=2), small)
    ]
    assert rates[0] > 1.5 * rates[1]


def test_a_heavier_distance_makes_it_smaller():
    network, lessons, inputs, labels = case()
    light, heavy = (replace(small, norm="l2", beta=b).fit(network, lessons, rng) for b in (0.0, 10.0))
    sizes = [attack(network, inputs, labels).size.mean() for attack in (light, heavy)]
    assert sizes[1] < 0.8 * sizes[0]


@both_forms
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 5, 2)])
def test_images_are_transformed_without_asking_the_network(form, shape):
    network, images = Counted(linear(shape, 3, torch.float32)), torch.rand(20, *shape)
    attack = ATN(eps=0.1, epochs=1, width=4, form=form).fit(network, [(images, torch.zeros(20))], rng)
    network.forwards = network.backwards = 0
    found = attack(network, images, torch.arange(20) % 3)
    assert found.inputs.shape == images.shape
    assert (network.forwards, network.backwards) == (0, 0)


def test_the_network_that_it_learns_from_is_left_alone():
    network, images = convolutional(), torch.rand(20, 1, 8, 8)
    before = [p.clone() for p in network.parameters()]
    ATN(epochs=1, width=4).fit(network, [(images, torch.zeros(20))], rng)
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))
    assert all(p.grad is None and p.requires_grad for p in network.parameters())


def test_a_use_in_another_precision_leaves_it_as_it_was_fitted():
    network, ((images, labels),), inputs, predicted = case()
    attack = replace(small, epochs=1).fit(network.double(), [(images.double(), labels)], rng)
    before = [p.clone() for p in attack.generator.parameters()]
    attack(network.float(), inputs, predicted)
    assert all(torch.equal(a, b) for a, b in zip(before, attack.generator.parameters(), strict=True))
    assert before[0].dtype == attack.generator.hidden.weight.dtype == torch.float64


@pytest.mark.parametrize(("name", "value"), [("alpha", 1.0), ("beta", -1.0), ("epochs", 0), ("norm", "l1")])
def test_what_has_no_meaning_is_refused(name, value):
    with pytest.raises(ValueError, match=f"^ATN: {name} must be"):
        ATN(**{name: value})


def test_without_images_or_before_learning_it_is_refused():
    with pytest.raises(ValueError, match=r"^ATN has no images"):
        ATN().fit(convolutional(), [], rng)
    with pytest.raises(ValueError, match=r"^ATN has not been trained"):
        ATN()(convolutional(), torch.rand(1, 1, 8, 8), torch.zeros(1, dtype=torch.int64))
