"""APGD against the worst loss that a linear network allows, and its own promises."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from robust_train import APGD, DLR, CrossEntropy, Goal, Objective
from robust_train.attacking.gradients import Counted
from robust_train.perturbations.apgd import _checkpoints
from robust_train.randomness import Streams
from tests.closed_forms import worst_margins
from tests.toy_networks import convolutional, linear_case

BUDGETS = {"linf": 0.1, "l2": 0.3, "l1": 0.8}
every_ball = pytest.mark.parametrize(
    ("norm", "bounds"), [(norm, bounds) for norm in BUDGETS for bounds in (None, (0.0, 1.0))]
)


@every_ball
def test_it_reaches_the_worst_cross_entropy_of_two_classes(norm, bounds):
    attack = APGD(norm=norm, eps=BUDGETS[norm], bounds=bounds, drop=False)
    for seed in range(12):
        case = linear_case(seed, classes=2, walls=seed % 2)
        truth = worst_margins(case.network, case.inputs, case.labels, norm, attack.eps, bounds)
        found = attack(case.network, case.inputs, case.labels).inputs
        loss = CrossEntropy()(case.network(found), Goal(case.labels)).detach()
        np.testing.assert_allclose(loss, np.logaddexp(0, truth), rtol=1e-3)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_runs_towards_every_class_break_what_can_be_broken(norm):
    for seed in range(8):
        case = linear_case(seed, classes=5, walls=seed % 2)
        eps = BUDGETS[norm]
        truth = worst_margins(case.network, case.inputs, case.labels, norm, eps, (0.0, 1.0))
        attack = APGD(norm=norm, eps=eps, targets=9, objective=DLR())
        found = attack(case.network, case.inputs, case.labels).inputs
        broken = Goal(case.labels).reached(case.network(found)).numpy()
        sure = np.abs(truth) > 1e-3
        assert (broken == (truth > 0))[sure].all()


def test_the_checkpoints_are_the_papers():
    assert sorted(_checkpoints(100)) == [22, 41, 57, 70, 80, 87, 93, 99]
    assert max(_checkpoints(10)) < 10


@dataclass(frozen=True)
class Tent(Objective):
    """Highest where the first pixel has this value: whoever steps too far, falls."""

    peak: float

    def __call__(self, logits, goal):
        return -(logits[:, 0] - self.peak).abs()


def test_a_step_that_overshoots_is_halved_until_it_fits():
    """The network is the identity; from 0 the first step is twice the budget, projected to its edge."""
    x = torch.full((64, 2), 0.5, dtype=torch.float64)
    labels = torch.zeros(64, dtype=torch.int64)
    attack = APGD(eps=0.2, objective=Tent(0.537), drop=False)
    found = attack(lambda x: x * 1.0, x, labels, rng=Streams.of(0, range(64))).inputs
    assert ((found[:, 0] - 0.537).abs() < 2e-3).all()
    rough = replace(attack, rho=1e-9, steps=21)  # no checkpoint before the end
    found = rough(lambda x: x * 1.0, x, labels, rng=Streams.of(0, range(64))).inputs
    assert ((found[:, 0] - 0.537).abs() > 2e-3).float().mean() > 0.5


def test_what_is_fooled_costs_no_more():
    network, inputs = convolutional(), torch.rand(64, 1, 8, 8)
    labels = network(inputs).argmax(1)
    spent = []
    for drop in (True, False):
        counted = Counted(network)
        found = APGD(eps=0.2, steps=20, drop=drop)(counted, inputs, labels)
        spent.append(counted.backwards)
        assert (network(found.inputs).argmax(1) == labels).float().mean() < 0.5
    assert spent[0] < spent[1] / 2
    assert spent[1] == 64 * 20


def test_more_restarts_never_find_less():
    network, inputs = convolutional(), torch.rand(200, 1, 8, 8)
    labels = network(inputs).argmax(1)
    attack = APGD(eps=0.1, steps=1)
    one, three = (
        Goal(labels).reached(network(replace(attack, restarts=n)(network, inputs, labels).inputs))
        for n in (1, 3)
    )
    assert (one <= three).all()
    assert one.sum() < three.sum()


def test_a_target_of_the_caller_is_the_only_one():
    network, inputs = convolutional(), torch.rand(32, 1, 8, 8)
    labels = network(inputs).argmax(1)
    goal = Goal((labels + 1) % 10, targeted=True)
    one, same = (APGD(eps=0.1, steps=10, targets=n)(network, inputs, labels, goal=goal) for n in (0, 9))
    assert torch.equal(one.inputs, same.inputs)


@pytest.mark.parametrize(("name", "value"), [("steps", 0), ("restarts", 0), ("rho", 0), ("targets", -1)])
def test_what_has_no_meaning_is_refused(name, value):
    with pytest.raises(ValueError, match=f"^APGD: {name} must be"):
        APGD(**{name: value})
