"""Penalties on slopes and curvature against closed forms of linear networks."""

from copy import deepcopy
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch.nn.functional import one_hot, softmax

from robust_train import (
    ContractivePenalty,
    CurvaturePenalty,
    GradientPenalty,
    JacobianPenalty,
    Ramp,
    RobustClassifier,
    SaturationPenalty,
)
from robust_train.defenses.contractive_penalty import _layers
from robust_train.defenses.recording import Activation, recorded
from robust_train.defenses.saturation_penalty import zeta
from tests.defenses.examples import make_step
from tests.defenses.training import fit
from tests.snapshots import snapshot
from tests.toy_networks import convolutional, linear

SHAPE = (1, 4, 4)


def case(classes=10, count=6):
    step = make_step(count, SHAPE, dtype=torch.float64)
    labels = step.labels % classes
    return linear(SHAPE, classes), replace(step, labels=labels, targets=labels)


def penalty(defense, network, step):
    return defense.loss(network, step, torch.zeros(len(step.inputs), dtype=step.inputs.dtype))


def slopes(network, x, labels):
    """The gradient of the cross-entropy is W^T (softmax - label)."""
    w, logits = network[1].weight, network(x)
    return (softmax(logits, 1) - one_hot(labels, logits.shape[1])) @ w


def test_the_slope_of_a_linear_network_s_loss():
    network, step = case()
    expected = 3 * slopes(network, step.inputs, step.labels).square().sum(1)
    torch.testing.assert_close(penalty(GradientPenalty(3.0), network, step), expected)


def test_the_jacobian_of_a_linear_network_is_its_weight():
    network, step = case()
    expected = 0.7 / 2 * network[1].weight.square().sum()
    found = penalty(JacobianPenalty(0.7, projections=4000), network, step)
    torch.testing.assert_close(found, expected.expand(6), rtol=0.05, atol=0)
    assert len(set(found.tolist())) == 6  # each sample draws its own


def test_one_projection_is_right_on_average():
    network, step = case(classes=3, count=4000)
    found = penalty(JacobianPenalty(2.0), network, step)
    error = found.std() / 4000**0.5
    assert (found.mean() - network[1].weight.square().sum()).abs() < 4 * error


@pytest.mark.parametrize("h", [0.3, Ramp(0.0, 0.6)])
def test_the_curvature_of_two_classes(h):
    """Along its slope w, the loss bends by (s(x + h z) - s(x)) w, with s the other class's probability."""
    network, step = case(classes=2)
    w = network[1].weight[1] - network[1].weight[0]
    g = slopes(network, step.inputs, step.labels)
    z = g.sign() / g.sign().norm(dim=1, keepdim=True)

    def probability(x):
        return torch.sigmoid(x.flatten(1) @ w + network[1].bias[1] - network[1].bias[0])

    bent = probability(step.inputs.flatten(1) + 0.3 * z) - probability(step.inputs)
    expected = 4 * bent.square() * w.square().sum()
    torch.testing.assert_close(penalty(CurvaturePenalty(h=h), network, step), expected)


@pytest.mark.parametrize("defense", [GradientPenalty(), JacobianPenalty(), CurvaturePenalty(h=0.1)])
def test_they_teach_the_weights_and_are_added_to_what_there_is(defense):
    network, step = convolutional(), make_step(6)
    found = defense.loss(network, step, torch.ones(6))
    assert (found > 1).all()
    found.sum().backward()
    assert all(weight.grad.isfinite().all() for weight in network.parameters() if weight.grad is not None)
    assert network[0].weight.grad.abs().max() > 0


@pytest.mark.parametrize("defense", [GradientPenalty(), JacobianPenalty(), CurvaturePenalty(h=0.1)])
def test_small_gradients_do_not_vanish_in_float16(defense):
    network, step = case()
    network, step = network.float(), replace(step, inputs=step.inputs.float())
    network[1].weight.data *= 1e-6
    expected = penalty(defense, network, step)
    with torch.autocast("cpu", torch.float16):
        torch.testing.assert_close(penalty(defense, network, step), expected, rtol=1e-4, atol=0)


weighted = pytest.mark.parametrize(
    "kind", [GradientPenalty, JacobianPenalty, CurvaturePenalty, ContractivePenalty, SaturationPenalty]
)


@weighted
@pytest.mark.parametrize("weight", [-1.0, Ramp(-1.0, 1.0), Ramp(1.0, -1.0), float("nan")])
def test_a_negative_weight_is_refused(kind, weight):
    with pytest.raises(ValueError, match=rf"^{kind.__name__}: weight must be at least 0"):
        kind(weight=weight)


@pytest.mark.parametrize("h", [0.0, -1.0, Ramp(-1.0, 1.0)])
def test_a_step_without_a_meaning_is_refused(h):
    with pytest.raises(ValueError, match=r"^CurvaturePenalty: h must be positive"):
        CurvaturePenalty(h=h)


@weighted
def test_a_weight_that_rises_is_the_one_of_the_moment(kind):
    network, step = convolutional().eval(), make_step(5, progress=0.75)
    rising, steady = (
        kind(weight=weight).loss(network, watched(network, step, kind()), torch.zeros(5))
        for weight in (Ramp(0.0, 4.0, begin=0.5), 2.0)
    )
    torch.testing.assert_close(rising, steady)
    assert (steady > 0).all()


def watched(network, step, defense):
    """The step after the forward pass, as the classifier makes it."""
    return RobustClassifier(network, [defense])._forward(step)


@pytest.mark.parametrize("unit", [torch.nn.ReLU, torch.nn.Sigmoid, torch.nn.Tanh])
@pytest.mark.parametrize("between", [torch.nn.Identity, lambda: torch.nn.LayerNorm(7)], ids=["dense", "not"])
def test_the_jacobians_of_layers_are_those_of_autograd(unit, between):
    """In closed form where the unit follows the dense layer, and as the mean of many draws elsewhere."""
    first, last = torch.nn.Linear(16, 7), torch.nn.Linear(7, 3)
    network = torch.nn.Sequential(torch.nn.Flatten(), first, between(), unit(), last).double()
    _, step = case(count=1)
    jacobian = torch.autograd.functional.jacobian(network[1:4], step.inputs.flatten(1)).square().sum()
    expected = 0.5 * (jacobian + last.weight.square().sum())
    closed = isinstance(network[2], torch.nn.Identity)
    many = replace(
        step,
        **{
            name: getattr(step, name).repeat_interleave(1 if closed else 3000, 0)
            for name in ("inputs", "targets", "clean", "labels")
        },
        rng=make_step(1 if closed else 3000).rng,
    )
    defense = ContractivePenalty(0.5)
    found = defense.loss(network, watched(network, many, defense), torch.zeros(len(many.inputs)))
    torch.testing.assert_close(found.mean(), expected, rtol=1e-9 if closed else 0.05, atol=0)


def test_the_jacobian_of_a_convolution_counts_its_places():
    """Without padding and stride, each weight is used once for each output pixel."""
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 5, 2), torch.nn.Flatten(), torch.nn.Linear(45, 3)
    ).double()
    _, step = case(count=1)
    many = replace(step, inputs=step.inputs.repeat(3000, 1, 1, 1), rng=make_step(3000).rng)
    expected = 9 * network[0].weight.square().sum() + network[2].weight.square().sum()
    defense = ContractivePenalty(1.0)
    found = defense.loss(network, watched(network, many, defense), torch.zeros(3000))
    torch.testing.assert_close(found.mean(), expected, rtol=0.05, atol=0)


@pytest.mark.parametrize("training", [True, False])
def test_statistics_of_the_batch_let_a_sample_move_the_others(training):
    """The Jacobian of the whole batch in each input; of running statistics, that of the sample alone."""
    first, last = torch.nn.Linear(16, 5), torch.nn.Linear(5, 3)
    normalisation = torch.nn.BatchNorm1d(5)
    network = torch.nn.Sequential(torch.nn.Flatten(), first, normalisation, torch.nn.Tanh(), last).double()
    _, step = case(count=4)
    defense = ContractivePenalty(1.0)
    watch = watched(network.train(training), step, defense)
    jacobian = torch.autograd.functional.jacobian(network[1:4], step.inputs.flatten(1)).square()
    own = torch.einsum("iuid->i", jacobian)
    expected = (jacobian.sum((0, 1, 3)) if training else own) + last.weight.square().sum()
    draws = (replace(watch, rng=watch.rng.fold(k)) for k in range(3000))
    found = torch.stack([defense.loss(network, one, torch.zeros(4)).detach() for one in draws]).mean(0)
    torch.testing.assert_close(found, expected.detach(), rtol=0.05, atol=0)
    assert training == ((expected - last.weight.square().sum()) > 1.2 * own).any()


def test_saturated_units_cost_nothing():
    network = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(16, 4), torch.nn.ReLU(), torch.nn.Linear(4, 3)
    )
    for bias, cost in ((-100.0, 0.0), (100.0, 400.0)):
        network[1].weight.data.zero_()
        network[1].bias.data.fill_(bias)
        _, step = case(count=2)
        step = replace(step, inputs=step.inputs.float())
        defense = SaturationPenalty(1.0)
        found = defense.loss(network, watched(network, step, defense), torch.zeros(2))
        torch.testing.assert_close(found, torch.full((2,), cost))
    for unit, top in ((torch.nn.Sigmoid(), 0.25), (torch.nn.Tanh(), 1.0)):
        a = torch.tensor([[0.0, 50.0, -50.0]])
        torch.testing.assert_close(zeta(Activation(unit, a, unit(a))), torch.tensor([[top, 0.0, 0.0]]))


@pytest.mark.parametrize("defense", [ContractivePenalty(), SaturationPenalty()])
def test_a_network_with_nothing_to_watch_is_refused(defense):
    with pytest.raises(
        ValueError, match=rf"^{type(defense).__name__}: the network has no module among .* to watch"
    ):
        RobustClassifier(torch.nn.Flatten(), [defense])


def test_each_defense_sees_the_activations_that_it_watches_and_no_others():
    network, step = convolutional().train(), make_step(6)
    network[3].p = 0.0
    saturated, contractive = SaturationPenalty(0.1), ContractivePenalty(0.0)
    losses = [
        fit(
            RobustClassifier(deepcopy(network), stack, partial(torch.optim.SGD, lr=0.1)), step, batch=6
        ).callback_metrics["train/loss"]
        for stack in ([saturated], [saturated, contractive])
    ]
    torch.testing.assert_close(*losses)


def test_watching_leaves_the_batch_as_it_was():
    network, step = convolutional(), make_step(3)
    watched(network, step, ContractivePenalty())
    assert not step.inputs.requires_grad


def test_normalisation_is_part_of_a_layer_and_a_sum_is_not():
    """Of a residual block, the convolution alone is a layer: its unit has another input as well."""

    class Block(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 1), torch.nn.BatchNorm2d(1))
            self.unit = torch.nn.ReLU(inplace=True)

        def forward(self, x):
            return self.unit(self.layer(x) + x)

    block = Block()
    chain = torch.nn.Sequential(*block.layer, block.unit)
    step = make_step(2)
    with recorded(chain, ContractivePenalty.watch) as activations:
        chain(step.inputs)
    assert [(a.module, b.module) for a, b in _layers(activations)] == [(block.layer[0], block.unit)]
    with recorded(block, ContractivePenalty.watch) as activations:
        block(step.inputs)
    assert [(a.module, b.module) for a, b in _layers(activations)] == [(block.layer[0],) * 2]


@pytest.mark.parametrize("defense", [GradientPenalty(), JacobianPenalty(), CurvaturePenalty(h=1e-5)])
def test_they_see_neither_dropout_nor_batch_mates_and_move_no_statistics(defense):
    network, step = convolutional().train(), make_step(6)
    before = snapshot(network)
    found = defense.loss(network, step, torch.zeros(6))
    assert snapshot(network) == before
    one = replace(
        step, inputs=step.inputs[:1], targets=step.targets[:1], rng=step.rng.take(torch.tensor([0]))
    )
    torch.testing.assert_close(defense.loss(network, one, torch.zeros(1)), found[:1], rtol=1e-4, atol=1e-6)
    if isinstance(defense, CurvaturePenalty):
        assert (found < 1e-6).all()
