"""Eyeglasses against the worst that a linear network allows inside the mask."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from robust_train import Eyeglasses, Goal
from robust_train.transforms.eyeglass_frame import EyeglassFrame
from tests.closed_forms import half_spaces, room, support
from tests.toy_networks import Flagging, linear

bare = Eyeglasses(smoothness=0, printability=0)


def case():
    network, inputs = linear((1, 8, 8), 10), torch.rand(64, 1, 8, 8, dtype=torch.float64)
    return network, inputs, network(inputs).argmax(1)


def worst_leads(network, inputs, labels, norm, eps, bounds):
    """``(N,)`` largest lead of another class over the label that the mask, the ball and the box allow."""
    mask, leads = EyeglassFrame()(inputs).flatten().numpy(), []
    for x, y in zip(inputs.flatten(1).numpy(), labels.tolist(), strict=True):
        within = mask if bounds else 1
        spaces = [(w, gap, room(x, w, bounds) * within) for w, gap in half_spaces(network, x, y)]
        leads.append(max(support(w * mask, norm, eps, left) - gap for w, gap, left in spaces))
    return np.array(leads)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("bounds", [None, (0.0, 1.0)], ids=["unbounded", "boxed"])
def test_without_the_terms_it_is_the_worst_change_inside_the_mask(norm, bounds):
    network, inputs = linear((1, 8, 8), 2), torch.rand(16, 1, 8, 8, dtype=torch.float64)
    labels = torch.arange(16) % 2
    never = Goal(labels)  # reached or not: the margin of the last point is compared
    eps = {"linf": 0.3, "l2": 1.0}[norm]
    found = replace(bare, norm=norm, eps=eps, bounds=bounds)(network, inputs, labels)
    standing = (never.margin(network(found.inputs)) >= 0).numpy()
    truth = -worst_leads(network, inputs, labels, norm, eps, bounds)
    margins = never.margin(network(found.inputs)).detach().numpy()
    np.testing.assert_allclose(margins[standing], truth[standing], atol=2e-3)
    assert np.array_equal(standing, truth >= 0) or np.abs(truth[standing != (truth >= 0)]).max() < 2e-3
    assert ((found.inputs == inputs) | EyeglassFrame()(inputs)).all()


def test_dodging_and_impersonation_reach_what_they_are_after():
    network, inputs, labels = case()
    dodging = Goal(labels)
    target = Goal((labels + 1) % 10, targeted=True)
    found = Eyeglasses(steps=30)(network, inputs, labels).inputs
    impersonating = Eyeglasses(steps=30)(network, inputs, labels, goal=target).inputs
    assert dodging.reached(network(found)).double().mean() > 0.3
    reached = target.reached(network(impersonating))
    assert reached.any()
    assert reached.sum() < dodging.reached(network(found)).sum()


def test_a_target_is_what_all_images_are_to_be_taken_for_unless_the_caller_says_otherwise():
    network, inputs, labels = case()
    second = int(network(inputs).mean(0).argsort()[-2])
    attack, goal = Eyeglasses(steps=30, target=second), Goal(torch.full_like(labels, second), targeted=True)
    found = attack(network, inputs, labels).inputs
    assert torch.equal(found, Eyeglasses(steps=30)(network, inputs, labels, goal=goal).inputs)
    assert goal.reached(network(found)).sum() > 2 * (labels == second).sum() + 5
    dodging = Goal(labels)
    left, expected = (a(network, inputs, labels, goal=dodging).inputs for a in (attack, Eyeglasses(steps=30)))
    assert torch.equal(left, expected)


def test_an_impersonator_is_not_flagged():
    pair = Flagging(linear((1, 8, 8), 3, torch.float32), level=0.5).eval()
    x = torch.rand(8, 1, 8, 8)
    goal = Eyeglasses(target=2).goal(pair, x, torch.zeros(8, dtype=torch.int64))
    assert (goal.labels == 2).all()
    assert (goal.targeted, goal.reject) == (True, True)


@pytest.mark.parametrize(("attack", "scale"), [(bare, 1.0), (bare, 100.0), (Eyeglasses(), 100.0)])
def test_it_dodges_where_the_frame_allows_it_also_where_the_network_is_sure(attack, scale):
    network, inputs, labels = case()
    network[-1].weight.data *= scale
    network[-1].bias.data *= scale
    breakable = worst_leads(network, inputs, labels, "linf", 1.0, (0.0, 1.0)) > 0
    dodged = Goal(labels).reached(network(attack(network, inputs, labels).inputs)).numpy()
    assert 0 < breakable.sum() < len(inputs)
    assert dodged[breakable].mean() >= 0.95


def test_the_terms_make_it_smoother_and_easier_to_print():
    network, inputs, labels = case()
    printed = Eyeglasses(steps=60)
    plain = replace(printed, smoothness=0.0, printability=0.0)
    found, without = (attack(network, inputs, labels).inputs for attack in (printed, plain))
    both = Goal(labels).reached(network(found)) & Goal(labels).reached(network(without))
    assert both.any()
    assert printed.effort(found)[both].mean() < 0.7 * printed.effort(without)[both].mean()


@pytest.mark.parametrize("name", ["smoothness", "printability", "momentum", "target"])
def test_what_has_no_meaning_is_refused(name):
    with pytest.raises(ValueError, match=f"^Eyeglasses: {name} must be"):
        Eyeglasses(**{name: -1})
