"""PGD against the worst loss that a linear network allows, and its own promises."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from robust_train import PGD, CrossEntropy, Goal, Margin, Objective
from robust_train.attacking.gradients import Counted
from tests.closed_forms import worst_margins
from tests.toy_networks import Case, convolutional, linear, linear_case

BUDGETS = {"linf": 0.1, "l2": 0.3, "l1": 0.8}
every_ball = pytest.mark.parametrize(
    ("norm", "bounds"), [(norm, bounds) for norm in BUDGETS for bounds in (None, (0.0, 1.0))]
)


@dataclass(frozen=True)
class Lead(Objective):
    """Of one rival over the label: linear on a linear network, so that ascent finds its maximum."""

    rival: int

    def __call__(self, logits, goal):
        return logits[:, self.rival] - logits.gather(1, goal.labels[:, None]).squeeze(1)


def pgd(norm, bounds, **fields):
    # Steps of eps turn an l2 iterate towards the gradient geometrically; l1 moves pixel by pixel.
    steps = {"linf": 10, "l2": 25, "l1": 40}[norm]
    step_size = BUDGETS[norm]
    fields = {"objective": Margin(), "drop": False, "steps": steps, "step_size": step_size, **fields}
    return PGD(norm=norm, eps=BUDGETS[norm], bounds=bounds, **fields)


def margins(attack, case):
    found = attack(case.network, case.inputs, case.labels).inputs
    return lead(case, found)


def lead(case, inputs):
    return -Goal(case.labels).margin(case.network(inputs)).detach().numpy()


@every_ball
def test_it_reaches_the_worst_margin(norm, bounds):
    for seed in range(8 if norm != "l1" else 4):
        case = linear_case(seed, walls=seed % 2)
        truth = worst_margins(case.network, case.inputs, case.labels, norm, BUDGETS[norm], bounds)
        gained = truth - lead(case, case.inputs)
        rivals = range(case.network[-1].out_features)
        found = np.max([margins(pgd(norm, bounds, objective=Lead(k)), case) for k in rivals], 0)
        assert (np.abs(truth - found) <= 1e-4 * gained).all()


@every_ball
def test_it_reaches_the_worst_cross_entropy_of_two_classes(norm, bounds):
    attack = pgd(norm, bounds, objective=CrossEntropy())
    for seed in range(12):
        case = linear_case(seed, classes=2, walls=seed % 2)
        truth = worst_margins(case.network, case.inputs, case.labels, norm, attack.eps, bounds)
        found = attack(case.network, case.inputs, case.labels).inputs
        loss = CrossEntropy()(case.network(found), Goal(case.labels)).detach()
        np.testing.assert_allclose(loss, np.logaddexp(0, truth), rtol=1e-4)


@pytest.mark.parametrize("eps", [0.5, 8.0])
def test_an_l1_budget_goes_to_the_steepest_hundredth_of_an_image(eps):
    network, inputs = linear((28, 28), 2), torch.rand(4, 28, 28, dtype=torch.float64)
    case = Case(network, inputs, network(inputs).argmax(1))
    attack = PGD(norm="l1", eps=eps, bounds=None, objective=Margin(), drop=False)
    truth = worst_margins(network, inputs, case.labels, "l1", eps, None)
    gained = margins(attack, case) - lead(case, inputs)
    slopes = (network[-1].weight[0] - network[-1].weight[1]).abs().sort(descending=True).values.detach()
    share = float(slopes[:8].mean() / slopes[0])  # of what the single steepest pixel would gain
    assert (gained >= (share - 1e-3) * (truth - lead(case, inputs))).all()


@every_ball
def test_dropping_never_changes_the_verdict(norm, bounds):
    for seed in range(8):
        case = linear_case(seed, classes=2 + 3 * (seed % 2))
        to_the_end = pgd(norm, bounds)
        verdicts = margins(to_the_end, case) > 0
        assert np.array_equal(margins(replace(to_the_end, drop=True), case) > 0, verdicts)
        truth = worst_margins(case.network, case.inputs, case.labels, norm, to_the_end.eps, bounds)
        assert (truth[verdicts] > 0).all()


@every_ball
def test_a_restart_never_saves_a_sample(norm, bounds):
    for seed in range(6):
        case = linear_case(seed)
        attack = pgd(norm, bounds, drop=True, steps=10, step_size=None)
        fooled = [margins(replace(attack, restarts=n), case) > 0 for n in (1, 2, 4)]
        assert (fooled[0] <= fooled[1]).all()
        assert (fooled[1] <= fooled[2]).all()


@every_ball
def test_a_larger_budget_never_does_less(norm, bounds):
    case, attack = linear_case(5, classes=2), pgd(norm, bounds)
    found = [margins(replace(attack, eps=share * attack.eps), case) for share in (0.0, 0.5, 1.0, 2.0)]
    assert (np.diff(found, axis=0) >= -1e-12).all()


def test_restarts_find_what_one_start_misses():
    case = linear_case(7, classes=10)
    one, ten = (margins(pgd("l2", None, restarts=n), case) for n in (1, 10))
    assert (ten >= one - 1e-12).all()
    assert (ten > one + 1e-3).any()


def test_a_wrong_sample_costs_one_forward_and_a_fooled_one_stops():
    network, inputs = Counted(linear((4,), 3)), torch.rand(16, 4, dtype=torch.float64)
    right = network(inputs).argmax(1)
    network.forwards = 0
    found = PGD(steps=40)(network, inputs, (right + 1) % 3)
    assert torch.equal(found.inputs, inputs)
    assert (network.forwards, network.backwards) == (16, 0)
    PGD(eps=1.0, norm="l2", bounds=None, steps=40)(network, inputs, right)
    assert network.backwards < 16 * 40 / 4
    network.backwards = 0
    PGD(eps=1.0, norm="l2", bounds=None, steps=40, drop=False)(network, inputs, right)
    assert network.backwards == 16 * 40


def test_one_success_ends_all_restarts_of_a_sample():
    network, inputs = Counted(linear((2,), 2)), torch.full((1, 2), 0.5, dtype=torch.float64)
    # Steps too short to matter: a start is fooled at once, in about half of the cases, or never.
    attack = PGD(norm="l2", eps=100.0, bounds=None, steps=20, step_size=1e-9, restarts=16)
    attack(network, inputs, network(inputs).argmax(1))
    assert network.backwards == 16


def test_maximising_runs_to_the_end_and_is_stronger_than_its_start():
    network, inputs = convolutional(), torch.rand(16, 1, 8, 8)
    labels = network(inputs).argmax(1)
    attack = PGD(eps=0.05).maximising()
    start, end = (replace(attack, steps=n, step_size=s) for n, s in ((1, 1e-9), (40, None)))
    losses = [
        CrossEntropy()(network(a(network, inputs, labels).inputs), Goal(labels)).sum() for a in (start, end)
    ]
    assert not attack.drop
    assert losses[1] > losses[0] + 1


@pytest.mark.parametrize(
    ("name", "value"), [("steps", 0), ("step_size", 0.0), ("restarts", 0), ("eps", -1.0)]
)
def test_what_has_no_meaning_is_refused(name, value):
    with pytest.raises(ValueError, match=f"^PGD: {name} must be"):
        PGD(**{name: value})


def test_a_restart_that_ends_without_a_loss_is_not_the_strongest():
    def network(x):
        return torch.cat([x, 0 * x], 1).masked_fill(x > 0.5, torch.nan)

    inputs, labels = torch.full((20, 1), 0.5), torch.zeros(20, dtype=torch.int64)
    found = PGD(eps=0.1, steps=1, step_size=1e-9, restarts=16, drop=False)(network, inputs, labels)
    assert network(found.inputs).isfinite().all()
