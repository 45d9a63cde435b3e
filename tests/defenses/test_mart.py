"""MART against its paper's algorithm, written out."""

import pytest
import torch
from torch.nn.functional import cross_entropy, softmax

from robust_train import MART, PGD
from robust_train.defenses.mart import _boosted
from tests.defenses.examples import make_step
from tests.defenses.training import compare, streams

EPS, STEPS, WEIGHT = 0.1, 5, 4.0


def perturb(network, clean, labels, number):
    """Projected gradient ascent from a random start."""
    x = clean + EPS * (2 * streams(len(clean), number).uniform(tuple(clean.shape[1:]), clean) - 1)
    x = x.clamp(0, 1)
    for _ in range(STEPS):
        x.requires_grad_()
        (gradient,) = torch.autograd.grad(cross_entropy(network(x), labels, reduction="sum"), x)
        x = (x + 2.5 * EPS / STEPS * gradient.sign()).detach()
        x = torch.max(torch.min(x, clean + EPS), clean - EPS).clamp(0, 1)
    return x


def loss(network, clean, perturbed, labels):
    """Equations 9 to 11 of the paper."""
    q, p = softmax(network(perturbed), 1), softmax(network(clean), 1)
    rows = torch.arange(len(labels))
    others = q.clone()
    others[rows, labels] = 0
    boosted = -q[rows, labels].log() - (1 - others.amax(1)).log()
    divergence = (p * (p.log() - q.log())).sum(1)
    return (boosted + WEIGHT * divergence * (1 - p[rows, labels])).mean()


def test_ten_steps_are_those_of_the_paper_s_algorithm():
    compare(MART(PGD(eps=EPS, steps=STEPS, step_size=2.5 * EPS / STEPS), weight=WEIGHT), perturb, loss)


def test_a_certain_mistake_has_a_finite_loss_and_a_gradient():
    logits = torch.tensor([[200.0, 0.0, 0.0]], requires_grad=True)
    step = make_step(1)
    step.labels[:] = 1
    (gradient,) = torch.autograd.grad(_boosted(logits, step).sum(), logits)
    assert gradient.isfinite().all()
    assert gradient[0, 0] > 1


def test_a_certain_success_costs_twice_what_is_left():
    logits = torch.tensor([[0.0, 12.0, -9.0]], dtype=torch.float64)
    step = make_step(1)
    step.labels[:] = 1
    left = torch.exp(torch.tensor(-12.0, dtype=torch.float64))
    torch.testing.assert_close(_boosted(logits, step), 2 * left[None], rtol=0.05, atol=0)


def test_a_negative_weight_is_refused():
    with pytest.raises(ValueError, match=r"^MART: weight must be at least 0, not -1"):
        MART(weight=-1)
