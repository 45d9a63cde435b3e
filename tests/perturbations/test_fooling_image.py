"""Fooling images against the closed form of a linear softmax."""

from math import ceil, log

import numpy as np
import pytest
import torch

from robust_train import FoolingImage, Goal
from robust_train.attacking.gradients import Counted
from robust_train.randomness import Streams
from tests.toy_networks import convolutional, linear

WIDE = (-50.0, 50.0)  # so that few walks meet a side


def test_two_classes_are_approached_along_the_difference_of_their_weights():
    network, inputs = linear((6,), 2), torch.zeros(24, 6, dtype=torch.float64)
    target, rng = torch.arange(24) % 2, Streams.of(1, range(24))
    attack = FoolingImage(bounds=WIDE, steps=2000, step_size=0.5)
    found = attack(network, inputs, target, goal=Goal(target, targeted=True), rng=rng).inputs
    noise = WIDE[0] + 100 * rng.uniform((6,), inputs)
    w = (network[-1].weight[1] - network[-1].weight[0]).detach()
    straight = 0  # walks that no side of the box bends
    for x, start, y in zip(found, noise, target.tolist(), strict=True):
        sign = 2 * y - 1
        log_odds = sign * float(network(start[None])[0].diff().detach())
        steps = max(0, ceil((log(0.996 / 0.004) - log_odds) / (0.5 * float(w.norm()))))
        end = start + sign * steps * 0.5 * w / w.norm()
        if end.abs().max() < WIDE[1]:
            np.testing.assert_allclose(x, end, atol=1e-6)
            straight += 1
    assert straight >= 3


def test_every_class_is_reached_with_confidence_and_from_any_image_alike():
    network, target = linear((1, 8, 8), 10, torch.float32), torch.arange(20) % 10
    network[-1].weight.data.mul_(20)
    goal = Goal(target, targeted=True)
    found = [FoolingImage()(network, torch.full((20, 1, 8, 8), v), target, goal=goal) for v in (0.1, 0.9)]
    probability = network(found[0].inputs).softmax(1)[torch.arange(20), target]
    assert (probability >= 0.996).all()
    assert torch.equal(found[0].inputs, found[1].inputs)
    assert ((found[0].inputs >= 0) & (found[0].inputs <= 1)).all()


def test_where_there_is_no_target_it_is_another_class():
    network = convolutional()
    labels = network(torch.rand(16, 1, 8, 8)).argmax(1)
    found = FoolingImage(steps=50)(network, torch.rand(16, 1, 8, 8), labels)
    before = FoolingImage(steps=1, step_size=1e-9)(network, torch.rand(16, 1, 8, 8), labels)
    margins = [Goal(labels).margin(network(f.inputs)) for f in (found, before)]
    assert (margins[0] < 0).sum() > (margins[1] < 0).sum()


def test_the_walk_ends_where_it_is_sure():
    network = Counted(linear((6,), 2))
    network.network[-1].weight.data.mul_(1000)
    FoolingImage()(network, torch.rand(8, 6, dtype=torch.float64), torch.zeros(8, dtype=torch.int64))
    assert network.backwards < 8 * 50


@pytest.mark.parametrize(("name", "value"), [("steps", 0), ("step_size", 0.0), ("confidence", 1.0)])
def test_what_has_no_meaning_is_refused(name, value):
    with pytest.raises(ValueError, match=f"^FoolingImage: {name} must be"):
        FoolingImage(**{name: value})


def test_without_a_box_there_is_no_noise():
    with pytest.raises(ValueError, match=r"^FoolingImage: without bounds"):
        FoolingImage(bounds=None)
