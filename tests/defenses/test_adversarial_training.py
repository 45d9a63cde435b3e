"""Adversarial training against a plain loop, written out."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy

from robust_train import (
    FGSM,
    MART,
    PGD,
    TRADES,
    AdversarialFineTuning,
    AdversarialTraining,
    Augmentation,
    CurvatureDetector,
    DeepFool,
    Patch,
    Ramp,
    RobustClassifier,
    SeveralNorms,
    UncertaintyDetector,
    WorstOf,
)
from robust_train.norms import norm
from robust_train.randomness import Streams
from tests.defenses.examples import make_step
from tests.defenses.training import compare, fit, streams
from tests.snapshots import snapshot
from tests.toy_networks import convolutional


def plain_loop(network, batches, eps, steps, mode):
    """Projected gradient ascent in linf inside, stochastic gradient descent outside."""
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    for number, (clean, labels) in enumerate(batches):
        buffers = deepcopy(dict(network.named_buffers()))
        network.train(mode == "train")
        start = Streams.of(0, range(len(clean))).fold(number).fold(number).uniform(tuple(clean.shape[1:]))
        x = (clean + eps * (2 * start - 1)).clamp(0, 1)
        for _ in range(steps):
            x.requires_grad_()
            (gradient,) = torch.autograd.grad(cross_entropy(network(x), labels, reduction="sum"), x)
            x = (x + 2.5 * eps / steps * gradient.sign()).detach()
            x = torch.max(torch.min(x, clean + eps), clean - eps).clamp(0, 1)
        for name, buffer in network.named_buffers():
            buffer.copy_(buffers[name])
        network.train()
        optimizer.zero_grad()
        cross_entropy(network(x), labels).backward()
        optimizer.step()


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_ten_steps_are_those_of_a_plain_loop(mode):
    network, data = convolutional(), make_step(80)
    network[3].p = 0.0  # without dropout, whose draws the two would not share
    reference = deepcopy(network)
    batches = zip(data.inputs.split(8), data.labels.split(8), strict=True)
    plain_loop(reference, batches, eps=0.1, steps=5, mode=mode)
    defense = AdversarialTraining(PGD(eps=0.1, steps=5), mode=mode)
    model = RobustClassifier(network, [defense], lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9))
    assert fit(model, data, batch=8).global_step == 10
    for (name, ours), theirs in zip(
        network.state_dict().items(), reference.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5, msg=name)


def fast(network, clean, labels, number):
    """One step of length 1.25 eps from a random point of the box of half-width eps, and back into it."""
    eps = 0.1
    delta = eps * (2 * streams(len(clean), number).uniform(tuple(clean.shape[1:]), clean) - 1)
    delta = delta.clamp(-clean, 1 - clean).requires_grad_()
    (gradient,) = torch.autograd.grad(cross_entropy(network(clean + delta), labels), delta)
    delta = (delta + 1.25 * eps * gradient.sign()).clamp(-eps, eps)
    return (clean + delta.clamp(-clean, 1 - clean)).detach()


def test_one_step_is_fast_adversarial_training():
    """Fast is better than free: revisiting adversarial training (Wong et al., 2020), algorithm 3."""
    defense = AdversarialTraining(PGD(eps=0.1, steps=1, step_size=0.125))
    compare(defense, fast, lambda network, x, perturbed, y: cross_entropy(network(perturbed), y))


def edge(norm):
    """The point of the ball that the linearised loss is largest at, in [0, 1]."""

    def perturb(network, clean, labels, number):
        x = clean.clone().requires_grad_()
        (g,) = torch.autograd.grad(cross_entropy(network(x), labels, reduction="sum"), x)
        length = g.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        return (clean + (0.1 * g.sign() if norm == "linf" else 0.5 * g / length)).clamp(0, 1)

    return perturb


@pytest.mark.parametrize(("norm", "eps"), [("linf", 0.1), ("l2", 0.5)])
def test_one_step_of_ascent_and_one_of_descent_take_turns(norm, eps):
    """Understanding adversarial training (Shaham et al., 2015), in linf and l2."""
    defense = AdversarialTraining(FGSM(norm=norm, eps=eps))
    compare(defense, edge(norm), lambda network, x, perturbed, y: cross_entropy(network(perturbed), y))


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_statistics_do_not_move_inside_and_the_mode_decides_which_are_seen(mode):
    network, step, seen = convolutional().train(), make_step(6), []
    network[1].register_forward_hook(lambda module, *_: seen.append(module.training))
    before = snapshot(network)
    AdversarialTraining(PGD(eps=0.1, steps=2), mode=mode).batch(network, step)
    assert snapshot(network) == before
    assert set(seen) == {mode == "train"}


def test_the_budget_follows_its_ramp():
    defense = AdversarialTraining(PGD(eps=9.0, norm="l2", steps=5), eps=Ramp(0.0, 0.4, begin=0.2, until=0.6))
    network = convolutional()
    for progress, eps in [(0.0, 0.0), (0.2, 0.0), (0.4, 0.2), (0.6, 0.4), (1.0, 0.4)]:
        step = make_step(8, progress=progress)
        size = norm((defense.batch(network, step).inputs - step.inputs).double(), "l2")
        assert (size <= eps + 1e-12).all()
        assert (size >= 0.9 * eps).all()


def test_the_search_runs_to_its_end_on_every_sample():
    network, step, calls = convolutional(), make_step(8), []
    network.register_forward_hook(lambda module, args, output: calls.append(len(args[0])))
    AdversarialTraining(PGD(eps=0.3, steps=7)).batch(network, step)
    assert calls == [8] * 7


@pytest.mark.parametrize(
    "defense",
    [
        AdversarialTraining(PGD(eps=0.1, steps=2)),
        AdversarialTraining(PGD(eps=0.1, steps=2), mode="train"),
        AdversarialTraining(DeepFool(steps=2)),
        TRADES(eps=0.1, steps=2),
    ],
    ids=["eval", "train", "minimal", "TRADES"],
)
def test_the_search_forms_no_gradients_of_the_weights(defense):
    """They would cost about one pass more, beside the forward one and that of the inputs' gradient."""
    network, step, asking = convolutional().train(), make_step(8), []
    network.register_forward_hook(
        lambda module, *_: asking.extend(p.requires_grad for p in module.parameters())
    )
    defense.batch(network, step)
    assert asking
    assert not any(asking)
    assert all(weight.grad is None for weight in network.parameters())
    assert all(weight.requires_grad for weight in network.parameters())


def test_the_strongest_of_several_perturbs_what_none_of_them_breaks():
    network, step = convolutional(), make_step(8)
    step = replace(step, labels=network(step.inputs).argmax(1))
    one = PGD(eps=1e-4, steps=2)
    found = AdversarialTraining(WorstOf(eps=1e-4, members=[one])).batch(network, step).inputs
    assert (found != step.inputs).flatten(1).any(1).all()


def test_it_perturbs_what_defenses_before_it_made_of_the_batch():
    network, step = convolutional(), make_step(8)
    augmented = Augmentation().batch(network, step)
    found = AdversarialTraining(PGD(eps=0.05, steps=2)).batch(network, augmented).inputs
    assert (found - augmented.inputs).abs().max() <= 0.05 + 1e-6
    assert (found - step.inputs).abs().max() > 0.05


def test_a_budget_that_does_not_change_is_taken_in_place_of_the_perturbation_s_own():
    network, step = convolutional(), make_step(8)
    one = AdversarialTraining(PGD(eps=0.3, steps=5), eps=0.1).batch(network, step)
    assert torch.equal(one.inputs, AdversarialTraining(PGD(eps=0.1, steps=5)).batch(network, step).inputs)


def test_a_budget_for_what_has_none_is_refused():
    with pytest.raises(ValueError, match=r"^AdversarialTraining: DeepFool has no budget: leave eps out"):
        AdversarialTraining(DeepFool(), eps=Ramp(0, 1))


def test_a_class_in_place_of_a_perturbation_is_refused():
    with pytest.raises(TypeError, match=r"^AdversarialTraining: PGD is a class: give an instance, P"):
        AdversarialTraining(PGD)


def test_the_class_that_was_asked_for_is_named():
    with pytest.raises(ValueError, match=r"^MART: DeepFool has no budget: leave eps out\.$"):
        MART(DeepFool(), eps=0.1)


def test_a_negative_budget_is_refused():
    with pytest.raises(ValueError, match=r"^AdversarialTraining: eps must be at least 0, not Ramp"):
        AdversarialTraining(eps=Ramp(0.1, -0.1))


@pytest.mark.parametrize(
    "make",
    [
        AdversarialTraining,
        lambda p: SeveralNorms([PGD(), p]),
        AdversarialFineTuning,
        lambda p: UncertaintyDetector(perturbation=p),
        lambda p: CurvatureDetector(perturbation=p),
    ],
)
def test_a_perturbation_that_has_to_learn_is_refused(make):
    with pytest.raises(
        ValueError, match=r"^(Adv|Sev|Unc|Cur)\w+: Patch has to learn: .* what its fit returns\.$"
    ):
        make(Patch())
