"""Feature adversaries against what a linear representation allows."""

import numpy as np
import pytest
import torch
from torch import nn

from robust_train import FeatureAdversary, Goal
from robust_train.randomness import Streams
from tests.closed_forms import support
from tests.toy_networks import convolutional

rng = Streams.of(0, [0])


def fitted(attack, network, classes=3, shape=(6,)):
    images = torch.rand(4 * classes, *shape, dtype=torch.float64)
    return attack.fit(network, [(images, torch.arange(4 * classes) % classes)], rng)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("bounds", [None, (0.0, 1.0)], ids=["unbounded", "boxed"])
def test_one_linear_feature_comes_as_near_as_the_ball_allows(norm, bounds):
    network = nn.Sequential(nn.Linear(6, 1), nn.Linear(1, 3)).double()
    attack = fitted(FeatureAdversary(norm=norm, eps=0.15, layer="0", bounds=bounds), network)
    x, labels = torch.rand(32, 6, dtype=torch.float64), torch.arange(32) % 3
    found = attack(network, x, labels).inputs
    w = network[0].weight[0].detach().numpy()
    gaps = network[0](attack.guides[(labels + 1) % 3] - x).detach().numpy()[:, 0] - network[0].bias.item()
    left = network[0](attack.guides[(labels + 1) % 3] - found).detach().numpy()[:, 0] - network[0].bias.item()
    for row, gap, rest in zip(x.numpy(), gaps, left, strict=True):
        side = np.sign(gap) * w
        room = np.full(6, np.inf) if bounds is None else np.where(side > 0, 1 - row, row)
        assert abs(rest) == pytest.approx(max(0, abs(gap) - support(side, norm, 0.15, room)), abs=2e-3)


def test_with_room_enough_the_logits_are_those_of_the_guide():
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 3)).double()
    attack = fitted(FeatureAdversary(norm="l2", eps=5.0, steps=400), network, shape=(3, 4))
    x, target = torch.rand(8, 3, 4, dtype=torch.float64), torch.arange(8) % 3
    found = attack(network, x, target, goal=Goal(target, targeted=True))
    torch.testing.assert_close(network(found.inputs), network(attack.guides[target]), atol=5e-2, rtol=0)


def test_guides_are_the_first_of_their_class_and_the_next_serves_for_one_that_is_missing():
    images, labels = torch.rand(5, 4), torch.tensor([4, 1, 4, 1, 7])
    attack = FeatureAdversary().fit(
        nn.Linear(4, 9), [(images[:2], labels[:2]), (images[2:], labels[2:])], rng
    )
    assert torch.equal(attack.guides, images[[1, 0, 4]])
    wanted = torch.tensor([0, 1, 2, 5, 8])
    chosen = attack._guides(images, Goal(wanted, targeted=True))
    assert torch.equal(chosen, images[[1, 1, 0, 4, 1]])
    assert torch.equal(attack._guides(images, Goal(wanted)), images[[1, 0, 0, 4, 1]])


def test_the_representation_comes_nearer_and_nothing_watches_any_more():
    network, x, labels = convolutional(), torch.rand(16, 1, 8, 8), torch.arange(16) % 10
    attack = FeatureAdversary(eps=0.1, layer="2", steps=20)
    attack = attack.fit(network, [(torch.rand(30, 1, 8, 8), torch.arange(30) % 10)], rng)
    found, guides = attack(network, x, labels).inputs, attack._guides(x, Goal(labels))
    before, after = ((network[:3](y) - network[:3](guides)).flatten(1).norm(dim=1) for y in (x, found))
    assert (after < 0.9 * before).all()
    assert not any(module._forward_hooks for module in network.modules())


def test_without_images_or_before_learning_it_is_refused():
    with pytest.raises(ValueError, match=r"^FeatureAdversary has no images"):
        FeatureAdversary().fit(nn.Linear(2, 2), [], rng)
    with pytest.raises(ValueError, match=r"^FeatureAdversary has no guides"):
        FeatureAdversary()(nn.Linear(2, 2), torch.rand(1, 2), torch.zeros(1, dtype=torch.int64))
