"""JSMA against the fewest components of linear networks, and against all pairs."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from robust_train import JSMA, Goal
from tests.closed_forms import minimal_sizes
from tests.toy_networks import convolutional, curved, linear


def opposite(d, count):
    """A binary network whose logits have opposite weights, and black images of its class 0."""
    network = linear((d,), 2)
    weight = network[1].weight.data
    weight[0] = -weight[1]
    network[1].bias.data = torch.tensor([weight[1].clamp_min(0).sum(), 0.0], dtype=torch.float64)
    return network, torch.rand(count, d, dtype=torch.float64).mul_(0.01)


@pytest.mark.parametrize("theta", [1.0, -1.0])
def test_it_finds_the_fewest_pairs_where_all_components_have_the_same_room(theta):
    for _ in range(10):
        network, inputs = opposite(12, 1)
        inputs = torch.zeros_like(inputs) if theta > 0 else torch.ones_like(inputs)
        if theta < 0:
            network[1].bias.data[0] -= 2 * network[1].weight.data[0].sum()
        labels = network(inputs).argmax(1)
        truth = minimal_sizes(network, inputs, labels, "l0", (0.0, 1.0))
        found = JSMA(theta=theta, gamma=1.0)(network, inputs, labels).size.numpy()
        np.testing.assert_array_equal(found, 2 * np.ceil(truth / 2))


def test_probabilities_of_two_classes_choose_what_opposite_logits_choose():
    network, inputs = opposite(12, 8)
    network[1].bias.data.mul_(0.5)
    labels = network(inputs).argmax(1)
    by_logits, by_probabilities = (
        JSMA(gamma=1.0, of=of)(network, inputs, labels).inputs for of in ("logits", "probabilities")
    )
    assert not torch.equal(by_logits, inputs)
    assert torch.equal(by_logits, by_probabilities)


def test_a_flat_softmax_hides_the_way_and_the_logits_show_it():
    network, inputs = linear((8, 8), 10).float(), 0.3 * torch.rand(16, 8, 8)
    for part in network[1].parameters():
        part.data.mul_(1e5)
    labels = network(inputs).argmax(1)
    assert JSMA()(network, inputs, labels).size.isfinite().all()
    assert JSMA(of="probabilities")(network, inputs, labels).size.isinf().all()


def test_to_leave_a_label_takes_no_more_than_to_reach_any_other():
    """No component is spent on a class that is given up on the way."""
    network, inputs = curved((1, 8, 8), 6), torch.rand(64, 1, 8, 8, dtype=torch.float64)
    labels = network(inputs).argmax(1)
    aims = [Goal((labels + k) % 6, targeted=True) for k in range(1, 6)]
    attack = JSMA(gamma=0.5, targets=5)
    found = attack(network, inputs, labels).size
    each = torch.stack([attack(network, inputs, labels, goal=aim).size for aim in aims])
    assert found.isfinite().all()
    assert (found <= each.amin(0)).all()
    few = replace(attack, targets=3)(network, inputs, labels).size
    assert (found <= few).all()
    wandering = replace(attack, targets=0)(network, inputs, labels).size
    assert (few < wandering).double().mean() > 0.1


@pytest.mark.parametrize("targets", [0, 3])
def test_it_is_near_the_fewest_components_of_a_linear_network(targets):
    """The best pair of another class, or one more."""
    network, inputs = linear((8, 8), 10), 0.3 * torch.rand(64, 8, 8, dtype=torch.float64)
    labels = network(inputs).argmax(1)
    truth = minimal_sizes(network, inputs, labels, "l0", (0.0, 1.0))
    found = JSMA(targets=targets)(network, inputs, labels).size.numpy()
    assert (found >= truth).all()
    assert (found <= 2 * np.ceil(truth / 2) + 2).all()


def test_the_pair_is_the_best_of_all_where_all_components_are_candidates():
    alpha, beta = torch.randn(2, 20, 9).unbind()
    free = torch.rand(20, 9) < 0.7
    pairs, salient = JSMA(candidates=9)._pair(alpha, beta, free)
    for a, b, f, pair, found in zip(alpha, beta, free, pairs, salient, strict=True):
        every = [(i, j) for i in range(9) for j in range(i) if f[i] and f[j]]
        value = {(i, j): -(a[i] + a[j]) * (b[i] + b[j]) for i, j in every if a[i] + a[j] > 0 > b[i] + b[j]}
        assert found == bool(value)
        if value:
            assert set(pair.tolist()) == set(max(value, key=value.get))


def test_the_budget_is_a_share_of_the_components():
    network, inputs = convolutional(), torch.rand(64, 1, 8, 8)
    labels = network(inputs).argmax(1)
    little, much = (JSMA(gamma=g)(network, inputs, labels).size for g in (0.07, 0.5))
    assert little[little.isfinite()].max() <= 0.07 * 64
    assert torch.equal(much[little.isfinite()], little[little.isfinite()])
    assert much.isfinite().sum() > little.isfinite().sum()


def test_components_are_only_raised_and_to_the_end_of_the_box():
    network, inputs = convolutional(), torch.rand(64, 1, 8, 8)
    found = JSMA(gamma=0.5)(network, inputs, network(inputs).argmax(1)).inputs
    assert (found[found != inputs] == 1).all()


def test_it_reaches_a_target():
    network, inputs = convolutional(), torch.rand(64, 1, 8, 8)
    target = Goal((network(inputs).argmax(1) + 1) % 10, targeted=True)
    found = JSMA(gamma=1.0)(network, inputs, target.labels, goal=target)
    broken = found.size.isfinite()
    assert broken.any()
    assert torch.equal(network(found.inputs).argmax(1)[broken], target.labels[broken])


@pytest.mark.parametrize(
    ("name", "value"), [("theta", 0.0), ("gamma", 0), ("candidates", 1), ("targets", -1)]
)
def test_what_has_no_meaning_is_refused(name, value):
    with pytest.raises(ValueError, match=f"^JSMA: {name} must"):
        JSMA(**{name: value})
