"""N-FGSM against its paper's algorithm, written out, and a closed form."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy

from robust_train import NFGSM, Ramp
from tests.defenses.examples import make_step
from tests.defenses.training import compare, streams
from tests.snapshots import snapshot
from tests.toy_networks import convolutional, linear

EPS = 0.1


def perturb(network, clean, labels, number):
    """Algorithm 1 of the paper, in [0, 1]."""
    eta = 2 * EPS * (2 * streams(len(clean), number).uniform(tuple(clean.shape[1:]), clean) - 1)
    x = (clean + eta).clamp(0, 1).requires_grad_()
    (gradient,) = torch.autograd.grad(cross_entropy(network(x), labels), x)
    return (x + EPS * gradient.sign()).clamp(0, 1).detach()


def test_ten_steps_are_those_of_the_paper_s_algorithm():
    compare(NFGSM(eps=EPS), perturb, lambda network, x, perturbed, y: cross_entropy(network(perturbed), y))


def test_on_two_classes_it_steps_from_its_noise_along_the_weights():
    network, step = linear((1, 4, 4), 2, torch.float32), make_step(200, shape=(1, 4, 4))
    inputs, labels = step.inputs.clamp(0.4, 0.6), step.labels % 2
    found = NFGSM(eps=0.1, noise=2.0, step_size=1.0).batch(
        network, replace(step, inputs=inputs, labels=labels)
    )
    w = (network[1].weight[1] - network[1].weight[0]).view(1, 4, 4)
    away = (1 - 2 * labels)[:, None, None, None] * w.sign()
    noise = found.inputs - inputs - 0.1 * away
    assert 0.195 < noise.abs().max() <= 0.2 + 1e-6
    assert (found.inputs - inputs).abs().max() > 0.29  # no projection
    assert noise.square().mean().sqrt().item() == pytest.approx(0.2 / 3**0.5, rel=0.05)


def test_statistics_do_not_move_inside_and_the_mode_decides_which_are_seen():
    for mode in ("eval", "train"):
        network, seen = convolutional().train(), []
        network[1].register_forward_hook(lambda module, *_, seen=seen: seen.append(module.training))
        before = snapshot(network)
        NFGSM(eps=0.1, mode=mode).batch(network, make_step(6))
        assert snapshot(network) == before
        assert seen == [mode == "train"]


def test_the_budget_follows_its_ramp():
    defense, network = NFGSM(eps=Ramp(0.0, 0.2)), convolutional()
    for progress, eps in [(0.0, 0.0), (0.5, 0.1), (1.0, 0.2)]:
        step = make_step(8, progress=progress)
        size = (defense.batch(network, step).inputs - step.inputs).abs().amax()
        assert 2 * eps <= size <= 3 * eps + 1e-6


@pytest.mark.parametrize("fields", [{"eps": 0.0}, {"eps": Ramp(-1, 0)}, {"noise": -1.0}, {"step_size": 0.0}])
def test_numbers_without_a_meaning_are_refused(fields):
    with pytest.raises(ValueError, match=f"^NFGSM: {next(iter(fields))} must be "):
        NFGSM(**fields)


def test_normalised_inputs_are_refused():
    step = make_step(2)
    with pytest.raises(ValueError, match=r"outside of the bounds .* normalise inside the network"):
        NFGSM().batch(convolutional(), replace(step, inputs=step.inputs - 1))
