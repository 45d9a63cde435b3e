"""Adversarial training of a linear network ends where the robust support vector machine does."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch.nn.functional import cross_entropy, softplus

from robust_train import PGD, AdversarialTraining, MarginLoss, RobustClassifier
from tests.closed_forms import DUAL, ORDER
from tests.defenses.examples import make_step
from tests.defenses.training import fit
from tests.toy_networks import linear

SHAPE, STEPS = (1, 2, 2), 300
BUDGETS = {"linf": 0.2, "l2": 0.4, "l1": 0.6}
HINGE = MarginLoss(eps=0.5**0.5, temperature=0.01)  # max(0, 1 - lead) but for 0.01 log 2 at its kink
every_norm = pytest.mark.parametrize("norm", BUDGETS)


def case():
    """Two normal laws that overlap, of any sign: no box cuts the balls."""
    step = make_step(32, SHAPE, dtype=torch.float64)
    labels = step.labels % 2
    centre = torch.tensor([1.0, 0.5, 0.2, 0.0], dtype=torch.float64).view(SHAPE)
    inputs = torch.randn(32, *SHAPE, dtype=torch.float64) + (2 * labels - 1).view(-1, 1, 1, 1) * centre
    return replace(step, inputs=inputs, clean=inputs, labels=labels, targets=labels)


def attack(norm):
    return PGD(norm=norm, eps=BUDGETS[norm], steps=2, random_start=False, bounds=None)


def function(network):
    """w and b of f(x) = <w, x> + b, the lead of class 1."""
    return [(part[1] - part[0]).detach().numpy() for part in network[1].parameters()]


def worst_leads(w, b, step, norm, eps):
    """``(N,)`` y f(x) - eps ||w||_q, with y = -1 or 1."""
    y = 2 * step.labels.numpy() - 1
    return y * (step.inputs.flatten(1).numpy() @ w + b) - eps * np.linalg.norm(w, ORDER[DUAL[norm]])


def hinge(leads):
    return np.maximum(0, 1 - leads)


@every_norm
def test_the_worst_hinge_and_logistic_losses_are_those_of_the_dual_norm(norm):
    network, step = linear(SHAPE, 2), case()
    leads = torch.from_numpy(worst_leads(*function(network), step, norm, BUDGETS[norm]))
    after = AdversarialTraining(attack(norm)).batch(network, step)
    after = replace(after, logits=network(after.inputs).detach())
    found = replace(HINGE, temperature=1e-4).loss(network, after, torch.zeros(32))
    torch.testing.assert_close(found, (1 - leads).clamp_min(0), rtol=0, atol=1e-4)
    torch.testing.assert_close(cross_entropy(after.logits, step.labels, reduction="none"), softplus(-leads))


def robust_svm(step, norm):
    """The least mean of max(0, 1 - y f(x) + eps ||w||_q): of slacks xi with s >= ||w||_q."""
    x, y, n = step.inputs.flatten(1).numpy(), 2 * step.labels.numpy() - 1, len(step.labels)
    signs = np.array(list(product((-1, 1), repeat=4)))

    def room(v):
        w, b, s, xi = v[:4], v[4], v[5], v[6:]
        above = {"linf": s - signs @ w, "l2": [s - np.sqrt(w @ w + 1e-16)], "l1": np.r_[s - w, s + w]}[norm]
        return np.r_[xi - 1 + y * (x @ w + b) - BUDGETS[norm] * s, xi, above]

    start = np.r_[0.1 * np.ones(4), 0, 1, 2 * np.ones(n)]
    found = minimize(lambda v: v[6:].mean(), start, constraints={"type": "ineq", "fun": room}, method="SLSQP")
    assert found.success
    return found.fun


@every_norm
def test_training_on_the_worst_cases_ends_at_the_robust_support_vector_machine(norm):
    step, ends = case(), {}
    for name, stack in {"robust": [AdversarialTraining(attack(norm)), HINGE], "plain": [HINGE]}.items():
        network = linear(SHAPE, 2)
        data = replace(step, inputs=step.inputs.repeat(STEPS, 1, 1, 1), labels=step.labels.repeat(STEPS))
        fit(RobustClassifier(network, stack, adam, falling, interval="step"), data, batch=32)
        ends[name] = hinge(worst_leads(*function(network), step, norm, BUDGETS[norm])).mean()
    least = robust_svm(step, norm)
    assert least - 1e-6 <= ends["robust"] <= 1.005 * least
    assert ends["plain"] > 1.1 * least


def adam(parameters):
    return torch.optim.Adam(parameters, lr=0.05)


def falling(optimizer):
    return torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=STEPS)
