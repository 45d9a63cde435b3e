"""Adversarial weight perturbation against its paper's algorithm, written out."""

from copy import deepcopy
from dataclasses import replace

import pytest
import pytorch_lightning as pl
import torch
from torch.func import functional_call
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from robust_train import (
    MART,
    PGD,
    TRADES,
    AdversarialTraining,
    AdversarialWeightPerturbation,
    Defense,
    GradientPenalty,
    Ramp,
    RobustClassifier,
    norms,
)
from robust_train.defenses import adversarial_weight_perturbation
from tests.defenses import test_mart, test_trades
from tests.defenses.examples import judged, make_step
from tests.defenses.training import compare, fit
from tests.snapshots import bits, snapshot
from tests.toy_networks import convolutional, linear

GAMMA = 0.02
INNER = PGD(eps=0.1, steps=5, step_size=0.05)


def natural(network, clean, perturbed, labels):
    return cross_entropy(network(perturbed), labels)


def moved(loss):
    """Equation 7 of the paper, with one ascent step from v = 0: the loss at the weights plus v."""

    def at(network, clean, perturbed, labels):
        proxy = deepcopy(network)
        loss(proxy, clean, perturbed, labels).backward()
        with torch.no_grad():
            weights = {
                name: GAMMA * w.norm() * w.grad / w.grad.norm() if w.ndim > 1 else torch.zeros_like(w)
                for name, w in proxy.named_parameters()
            }
        sums = {name: w + weights[name] for name, w in network.named_parameters()}
        return loss(lambda z: functional_call(network, sums, (z,)), clean, perturbed, labels)

    return at


@pytest.mark.parametrize(
    ("defense", "perturb", "loss"),
    [
        (AdversarialTraining(INNER), test_mart.perturb, natural),
        (TRADES(eps=0.1, steps=5, beta=test_trades.BETA), test_trades.perturb, test_trades.loss),
        (MART(INNER, weight=test_mart.WEIGHT), test_mart.perturb, test_mart.loss),
    ],
    ids=["AT", "TRADES", "MART"],
)
def test_ten_steps_are_those_of_the_paper_s_algorithm(defense, perturb, loss):
    compare([AdversarialWeightPerturbation(GAMMA), defense], perturb, moved(loss))


def test_weights_of_layers_move_by_their_share_and_go_back_bit_for_bit():
    network = convolutional().train()
    before, weights = snapshot(network), deepcopy(dict(network.named_parameters()))
    defense = AdversarialWeightPerturbation(0.1)
    step = defense.batch(network, judged(network, make_step(6)))
    assert snapshot(network)["buffers"] == before["buffers"]
    assert snapshot(network)["torch"] == before["torch"]
    for name, w in network.named_parameters():
        moved_by = (w - weights[name]).norm() / weights[name].norm().clamp_min(1e-9)
        assert moved_by.item() == pytest.approx(0.1 if w.ndim > 1 else 0.0, rel=1e-4)
        assert w.grad is None
    defense.after_backward(network, step)
    assert snapshot(network) == before


def test_on_a_linear_network_the_weights_move_along_the_gradient_of_the_whole_loss():
    network, step = linear((1, 4, 4), 10), make_step(6, (1, 4, 4), dtype=torch.float64)
    defense = GradientPenalty(2.0)

    def objective(one):
        losses = cross_entropy(network(one.inputs), one.targets, reduction="none")
        return defense.loss(network, one, losses)

    w = network[1].weight.detach().clone()
    (g,) = torch.autograd.grad(objective(step).sum(), network[1].weight)
    AdversarialWeightPerturbation(0.3).batch(network, replace(step, objective=objective))
    torch.testing.assert_close(network[1].weight.detach(), w + 0.3 * w.norm() * g / g.norm())


def test_the_next_pass_sees_moved_weights_in_half_precision_too():
    """Autocast keeps the weights that it has cast."""
    network, step = convolutional(), make_step(6)
    with torch.autocast("cpu", torch.bfloat16):
        AdversarialWeightPerturbation(0.5).batch(network, judged(network, step))
        found = network(step.inputs)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(network(step.inputs), found)


def test_a_weight_that_the_loss_does_not_reach_stays():
    network = torch.nn.Sequential(*linear((1, 8, 8), 10, torch.float32))
    network.unused = torch.nn.Linear(2, 2)
    before = bits(network.unused.weight)
    network.forward = lambda x: network[1](network[0](x))
    AdversarialWeightPerturbation(0.5).batch(network, judged(network, make_step(3)))
    assert bits(network.unused.weight) == before


def test_a_ramp_starts_late():
    network, lengths = convolutional(), []
    before = network[0].weight.detach().clone()
    for progress in (0.1, 0.9):
        defense = AdversarialWeightPerturbation(Ramp(0.0, 0.01, begin=0.5, until=0.5))
        step = defense.batch(network, judged(network, make_step(3, progress=progress)))
        lengths.append(((network[0].weight - before).norm() / before.norm()).item())
        defense.after_backward(network, step)
    assert lengths == pytest.approx([0.0, 0.01])


def test_no_weights_stay_moved_after_an_epoch_without_learning():
    network = convolutional()
    before = deepcopy(network.state_dict())
    stack = [AdversarialTraining(INNER), AdversarialWeightPerturbation(0.5)]
    fit(RobustClassifier(network, stack, lambda p: torch.optim.SGD(p, lr=0.0)), make_step(12), batch=4)
    for name, weight in network.named_parameters():
        assert torch.equal(weight, before[name])


class Interrupting(pl.Callback):
    """An interrupt, or an error, at one moment of the second step."""

    def __init__(self, moment, error):
        self.moment, self.error, self.calls = moment, error, 0

    def strike(self, *args):
        self.calls += 1
        if self.calls == 2:
            raise self.error

    def on_before_backward(self, trainer, module, loss):
        if self.moment == "backward":
            loss.register_hook(self.strike)
        if self.moment == "between":
            self.strike()

    def on_after_backward(self, *args):
        if self.moment == "after":
            self.strike()


@pytest.mark.parametrize("moment", ["forward", "between", "backward", "after"])
@pytest.mark.parametrize("error", [RuntimeError("out of memory"), KeyboardInterrupt()], ids=["error", "key"])
def test_a_step_that_is_cut_short_leaves_no_weights_moved(moment, error, loaders):
    network, striking = convolutional(), Interrupting(moment, error)
    before = deepcopy(dict(network.named_parameters()))

    class Broken(Defense):
        def loss(self, network, step, loss):
            moved = not torch.equal(network[-1].weight, before["6.weight"])
            if moved and moment == "forward":
                striking.strike()
            return loss

    stack = [Broken(), AdversarialWeightPerturbation(0.5)]
    model = RobustClassifier(network, stack, lambda p: torch.optim.SGD(p, lr=0.0))
    parts = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    trainer = pl.Trainer(max_epochs=1, accelerator="cpu", callbacks=[striking], **dict.fromkeys(parts, False))
    with pytest.raises(BaseException) as raised:  # noqa: PT011 - Lightning ends the process after an interrupt
        trainer.fit(model.train(), loaders, loaders)
    assert striking.calls == 2, raised.value
    for name, weight in network.named_parameters():
        assert torch.equal(weight, before[name]), name
    deepcopy(model)


@pytest.fixture
def loaders():
    data = make_step(12)
    return DataLoader(TensorDataset(data.inputs, data.labels), batch_size=4)


def test_weights_go_back_where_it_is_cut_short_itself(monkeypatch):
    network, lengths = convolutional(), []

    def steepest(*args):
        lengths.append(len(lengths))
        if len(lengths) == 2:
            raise KeyboardInterrupt
        return norms.steepest(*args)

    before = snapshot(network)
    monkeypatch.setattr(adversarial_weight_perturbation, "steepest", steepest)
    with pytest.raises(KeyboardInterrupt):
        AdversarialWeightPerturbation(0.5).batch(network, judged(network, make_step(6)))
    assert snapshot(network) == before


def test_a_negative_length_is_refused():
    with pytest.raises(ValueError, match=r"^AdversarialWeightPerturbation: gamma must be at least 0, not -1"):
        AdversarialWeightPerturbation(-1.0)
    with pytest.raises(ValueError, match=r"^AdversarialWeightPerturbation: gamma must .* not Ramp\(start=-1"):
        AdversarialWeightPerturbation(Ramp(-1, 0))


def test_a_network_whose_matrices_are_frozen_is_refused():
    network = convolutional()
    for weight in network.parameters():
        weight.requires_grad_(weight.ndim == 1)
    with pytest.raises(ValueError, match=r"^AdversarialWeightPerturbation: no weight of .*: unfreeze one"):
        AdversarialWeightPerturbation().batch(network, judged(network, make_step(3)))
