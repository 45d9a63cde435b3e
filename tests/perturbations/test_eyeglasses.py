"""Eyeglasses against the worst that a linear network allows inside the mask."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from robust_train import Eyeglasses, Goal, Margin
from robust_train.transforms.eyeglass_frame import EyeglassFrame
from tests.closed_forms import half_spaces, room, support
from tests.toy_networks import linear

bare = Eyeglasses(smoothness=0, printability=0, objective=Margin())


def case():
    network, inputs = linear((1, 8, 8), 10), torch.rand(64, 1, 8, 8, dtype=torch.float64)
    return network, inputs, network(inputs).argmax(1)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("bounds", [None, (0.0, 1.0)], ids=["unbounded", "boxed"])
def test_without_the_terms_it_is_the_worst_change_inside_the_mask(norm, bounds):
    network, inputs = linear((1, 8, 8), 2), torch.rand(16, 1, 8, 8, dtype=torch.float64)
    labels = torch.arange(16) % 2
    never = Goal(labels)  # reached or not: the margin of the last point is compared
    eps = {"linf": 0.3, "l2": 1.0}[norm]
    found = replace(bare, norm=norm, eps=eps, bounds=bounds)(network, inputs, labels)
    mask = EyeglassFrame()(inputs).flatten().numpy()
    standing = (never.margin(network(found.inputs)) >= 0).numpy()
    truth = []
    for x, y in zip(inputs.flatten(1).numpy(), labels.tolist(), strict=True):
        ((w, gap),) = half_spaces(network, x, y)
        left = room(x, w, bounds) * mask if bounds else room(x, w, None)
        truth.append(gap - support(w * mask, norm, eps, left))
    truth = np.array(truth)
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


def test_the_terms_make_it_smoother_and_easier_to_print():
    network, inputs, labels = case()
    printed = Eyeglasses(steps=60)
    plain = replace(printed, smoothness=0.0, printability=0.0)
    found, without = (attack(network, inputs, labels).inputs for attack in (printed, plain))
    both = Goal(labels).reached(network(found)) & Goal(labels).reached(network(without))
    assert both.any()
    assert printed.effort(found)[both].mean() < 0.7 * printed.effort(without)[both].mean()


@pytest.mark.parametrize("name", ["smoothness", "printability", "momentum"])
def test_what_has_no_meaning_is_refused(name):
    with pytest.raises(ValueError, match=f"^Eyeglasses: {name} must be"):
        Eyeglasses(**{name: -1})
