"""Training against several norms: closed forms of a linear network in the box."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy, softplus

from robust_train import PGD, AdversarialWeightPerturbation, DeepFool, Ramp, RobustClassifier, SeveralNorms
from tests.closed_forms import worst_margins
from tests.defenses.examples import make_step
from tests.defenses.training import compare, fit, sgd, streams
from tests.toy_networks import convolutional, linear

BUDGETS = {"linf": 0.1, "l2": 0.265}
MEMBERS = [PGD(norm=p, eps=eps, steps=60, random_start=False) for p, eps in BUDGETS.items()]


def case():
    """Two classes, and pixels of which many are at the walls, so that either norm can be the worse."""
    torch.manual_seed(0)
    network, step = linear((1, 4, 4), 2), make_step(64, (1, 4, 4), dtype=torch.float64)
    inputs = (2 * step.inputs - 0.5).clamp(0, 1)
    labels = step.labels % 2
    return network, replace(step, inputs=inputs, clean=inputs, labels=labels, targets=labels)


def worst_losses(network, step):
    """``(K, N)`` largest cross-entropy in each ball, cut by the box."""
    margins = [
        worst_margins(network, step.inputs, step.labels, p, eps, (0.0, 1.0)) for p, eps in BUDGETS.items()
    ]
    return softplus(torch.stack([torch.from_numpy(margin) for margin in margins]))


def losses(network, step):
    return cross_entropy(network(step.inputs), step.labels, reduction="none").detach()


def test_the_worst_of_a_linear_network_is_the_larger_of_the_closed_forms():
    network, step = case()
    expected = worst_losses(network, step)
    assert 10 < (expected[0] > expected[1]).sum() < 54
    found = losses(network, SeveralNorms(MEMBERS).batch(network, step))
    torch.testing.assert_close(found, expected.amax(0), rtol=1e-3, atol=0)


def test_the_average_of_a_linear_network_is_that_of_the_closed_forms():
    network, step = case()
    after = SeveralNorms(MEMBERS, mode="average").batch(network, step)
    found = losses(network, after)
    torch.testing.assert_close(found.view(2, -1), worst_losses(network, step), rtol=1e-3, atol=0)
    torch.testing.assert_close(found.mean(), worst_losses(network, step).mean(), rtol=1e-3, atol=0)
    assert torch.equal(after.clean, torch.cat([step.clean, step.clean]))
    assert torch.equal(after.targets, torch.cat([step.targets, step.targets]))
    assert len(after.rng) == 128


@pytest.mark.parametrize("mode", ["worst", "average", "random"])
def test_all_budgets_grow_together_and_what_has_none_stays(mode):
    network, step = case()
    step = replace(step, progress=0.25)
    halves = [replace(member, eps=member.eps / 2) for member in MEMBERS]
    growing, small = SeveralNorms(MEMBERS, mode, Ramp(0.0, 1.0, until=0.5)), SeveralNorms(halves, mode)
    assert torch.equal(growing.batch(network, step).inputs, small.batch(network, step).inputs)
    minimal = SeveralNorms([DeepFool()], mode)
    found = replace(minimal, scale=0.5).batch(network, step).inputs
    assert torch.equal(found, minimal.batch(network, step).inputs)
    assert not torch.equal(found, step.inputs)


def test_a_random_one_is_either_of_the_closed_forms():
    network, step = case()
    first, second = worst_losses(network, step)
    found = losses(network, SeveralNorms(MEMBERS, mode="random").batch(network, step))
    is_first = torch.isclose(found, first, rtol=1e-3, atol=0)
    assert (is_first | torch.isclose(found, second, rtol=1e-3, atol=0)).all()
    assert 16 < is_first.sum() < 48
    again = SeveralNorms(MEMBERS, mode="random").batch(network, replace(step, rng=step.rng.fold(1)))
    assert not torch.equal(losses(network, again), found)


@pytest.mark.parametrize("mode", ["worst", "random"])
def test_a_sample_does_not_depend_on_its_batch_mates(mode):
    network, step, rows = convolutional(), make_step(9), torch.tensor([4, 1, 7])
    defense = SeveralNorms([PGD(eps=0.1, steps=2), PGD(norm="l2", eps=0.5, steps=2)], mode=mode)
    part = replace(step, inputs=step.inputs[rows], labels=step.labels[rows], rng=step.rng.take(rows))
    found = defense.batch(network, part).inputs
    torch.testing.assert_close(found, defense.batch(network, step).inputs[rows], rtol=0, atol=1e-6)


def ascend(network, clean, labels, eps, rng):
    x = (clean + eps * (2 * rng.uniform(tuple(clean.shape[1:]), clean) - 1)).clamp(0, 1)
    for _ in range(2):
        x.requires_grad_()
        (gradient,) = torch.autograd.grad(cross_entropy(network(x), labels, reduction="sum"), x)
        x = (x + eps / 2 * gradient.sign()).detach()
        x = torch.max(torch.min(x, clean + eps), clean - eps).clamp(0, 1)
    return x


def test_ten_steps_of_the_average_are_those_of_the_paper_s():
    """Without statistics of the batch, which the members share here."""

    def perturb(network, clean, labels, number):
        rng = streams(len(clean), number)
        return [ascend(network, clean, labels, eps, rng.fold(k)) for k, eps in enumerate((0.1, 0.05))]

    def loss(network, clean, perturbed, labels):
        network[1].eval()
        return sum(cross_entropy(network(x), labels) for x in perturbed) / 2

    class Settled(SeveralNorms):
        def batch(self, network, step):
            network[1].eval()
            return super().batch(network, step)

    members = [PGD(eps=eps, steps=2, step_size=eps / 2) for eps in (0.1, 0.05)]
    compare(Settled(members, mode="average"), perturb, loss)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_network_trains_on_all_of_them_under_moved_weights(precision):
    members = [PGD(eps=0.1, steps=2), PGD(norm="l2", eps=0.5, steps=2)]
    stack = [SeveralNorms(members, mode="average"), AdversarialWeightPerturbation()]
    trainer = fit(RobustClassifier(convolutional(), stack, sgd), make_step(12), batch=4, precision=precision)
    assert trainer.callback_metrics["train/loss"].isfinite()


def test_one_without_a_loss_is_not_the_worst():
    network, step = case()

    def blind_to_what_is_far(_, args, logits):
        far = (args[0] - step.inputs).flatten(1).abs().amax(1, keepdim=True) > 0.06
        return logits.masked_fill(far, torch.nan)

    network.register_forward_hook(blind_to_what_is_far)
    near, far = (PGD(eps=eps, steps=1, random_start=False) for eps in (0.05, 0.1))
    found = SeveralNorms([near, far]).batch(network, step).inputs
    assert torch.equal(found, SeveralNorms([near]).batch(network, step).inputs)


def test_none_at_all_are_refused():
    with pytest.raises(ValueError, match=r"^SeveralNorms: perturbations is empty: give at least one"):
        SeveralNorms([])
    with pytest.raises(ValueError, match=r"^SeveralNorms: scale must be at least 0, not -1\.0\.$"):
        SeveralNorms(MEMBERS, scale=-1.0)
    with pytest.raises(ValueError, match=r"^PGD: eps 1\.5 is more than the whole range of pixels"):
        SeveralNorms([PGD(eps=0.5)], scale=Ramp(3.0, 0.0))
