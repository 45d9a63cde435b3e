"""TRADES against its paper's algorithm, written out, and a closed form."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy, softmax

from robust_train import TRADES, Ramp
from robust_train.norms import norm as sizes
from tests.defenses.examples import make_step
from tests.defenses.training import compare, streams
from tests.toy_networks import convolutional, linear

EPS, STEPS, BETA = 0.1, 5, 3.0


def kl(p, q):
    """From the first of two softmaxes to the second, each sample by itself."""
    return (p * (p.log() - q.log())).sum(1)


def perturb(network, clean, labels, number):
    """Algorithm 1 of the paper, steps 4 to 8."""
    x = clean + 0.001 * streams(len(clean), number).normal(tuple(clean.shape[1:]), clean)
    for _ in range(STEPS):
        x.requires_grad_()
        divergence = kl(softmax(network(clean), 1), softmax(network(x), 1)).sum()
        (gradient,) = torch.autograd.grad(divergence, x)
        x = (x + 2.5 * EPS / STEPS * gradient.sign()).detach()
        x = torch.max(torch.min(x, clean + EPS), clean - EPS).clamp(0, 1)
    return x


def loss(network, clean, perturbed, labels):
    """Which pass comes first, the running statistics alone tell; it is taken from the defense."""
    moved, logits = network(perturbed), network(clean)
    return cross_entropy(logits, labels) + BETA * kl(softmax(logits, 1), softmax(moved, 1)).mean()


def test_ten_steps_are_those_of_the_paper_s_algorithm():
    compare(TRADES(eps=EPS, steps=STEPS, beta=BETA), perturb, loss)


@pytest.mark.parametrize(("norm", "dual"), [("linf", 1), ("l2", 2)])
def test_on_two_classes_it_goes_as_far_along_the_weights_as_it_may(norm, dual):
    """The divergence grows with the change of the logits' difference, which is linear in the input."""
    network, step = linear((1, 4, 4), 2, torch.float32), make_step(32, shape=(1, 4, 4))
    eps = 1e-3  # the box does not bind, but for next to no pixel
    step.clean.clamp_(0.01, 0.99)
    found = TRADES(eps=eps, norm=norm, steps=20).batch(network, step).inputs
    w = network[1].weight[1] - network[1].weight[0]
    gained = ((found - step.clean).flatten(1) @ w).abs()
    torch.testing.assert_close(gained, (eps * w.norm(p=dual)).expand(32), rtol=2e-2, atol=0)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_the_budget_follows_its_ramp(norm):
    network, defense = convolutional(), TRADES(eps=Ramp(0.0, 0.2, until=0.8), norm=norm, steps=5)
    for progress, eps in [(0.0, 0.0), (0.4, 0.1), (0.8, 0.2), (1.0, 0.2)]:
        step = make_step(8, progress=progress)
        size = sizes(defense.batch(network, step).inputs.double() - step.clean.double(), norm)
        assert (size <= eps + 1e-12).all()
        assert (size >= 0.9 * eps).all()


def test_without_a_divergence_it_is_the_loss_on_clean_inputs():
    network, step = linear((1, 8, 8), 10, torch.float32), make_step(6)
    logits = network(step.inputs)
    same = replace(step, logits=logits)
    expected = cross_entropy(logits, step.labels, reduction="none")
    torch.testing.assert_close(TRADES().loss(network, same, torch.zeros(6)), expected)


NUMBERS = [{"eps": 0.0}, {"eps": Ramp(0.1, -1)}, {"steps": 0}, {"step_size": -1.0}, {"beta": -1.0}]


@pytest.mark.parametrize("fields", NUMBERS)
def test_numbers_without_a_meaning_are_refused(fields):
    with pytest.raises(ValueError, match=f"^TRADES: {next(iter(fields))} must be "):
        TRADES(**fields)


def test_there_is_no_ball_of_l0():
    with pytest.raises(ValueError, match=r"^TRADES: norm must be linf, l2 or l1, not 'l0'\.$"):
        TRADES(norm="l0")


def test_normalised_inputs_are_refused():
    step = make_step(2)
    with pytest.raises(ValueError, match=r"outside of the bounds .* normalise inside the network"):
        TRADES().batch(convolutional(), replace(step, clean=step.clean - 1))
