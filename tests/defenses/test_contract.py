"""What every defense promises, each new one included: a class without an example fails."""

import inspect
import pickle
from copy import deepcopy
from dataclasses import fields, replace
from typing import Literal, get_origin

import pytest
import torch

from robust_train import (
    MART,
    TRADES,
    AdversarialTraining,
    Defense,
    RobustClassifier,
    checkpoint,
    defenses,
)
from robust_train.defenses.detecting import Detecting
from tests.defenses.examples import EVERY, EXAMPLES, judged, make_step, name, node, suited, suited_node
from tests.defenses.training import fit
from tests.snapshots import snapshot
from tests.toy_networks import convolutional

every = pytest.mark.parametrize("defense", EVERY, ids=name)


def train(network, stack, precision="32-true"):
    model = RobustClassifier(network, stack, lambda parameters: torch.optim.SGD(parameters, lr=0.1))
    return fit(model, make_step(12), batch=4, epochs=2, precision=precision)


def test_every_defense_is_exported_and_has_an_example():
    exported = {getattr(defenses, name) for name in defenses.__all__}
    kinds = {kind for kind in exported if inspect.isclass(kind) and issubclass(kind, Defense)}
    ours = {kind for kind in subclasses(Defense) if kind.__module__.startswith("robust_train.")}
    assert kinds - {Defense} == ours == set(EXAMPLES)


def subclasses(kind):
    return {one for child in kind.__subclasses__() for one in (child, *subclasses(child))}


@every
def test_a_choice_that_it_does_not_offer_is_refused(defense):
    for field in (f.name for f in fields(defense) if get_origin(f.type) is Literal):
        with pytest.raises(ValueError, match=f"^{type(defense).__name__}: .* wurst|{field} must be "):
            replace(defense, **{field: "wurst"})


@every
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_network_trains_under_it(defense, precision):
    network = suited(defense)
    before = deepcopy(network.state_dict())
    trainer = train(network, [defense], precision)
    assert trainer.global_step == 6
    assert trainer.callback_metrics["train/loss"].isfinite()
    for place, weight in network.named_parameters():
        assert weight.isfinite().all()
        if place != "0.bias":  # which the shift of batch normalisation makes idle
            assert not torch.equal(weight, before[place]), place
        assert weight.requires_grad


@every
def test_what_it_makes_of_a_batch_is_of_the_same_kind(defense):
    step, network = make_step(6), defense.wrap(convolutional()).train()
    after = defense.batch(network, judged(network, step))
    copies = 2 if getattr(defense, "mode", None) == "average" else 1  # of all rows, one after the other
    assert (after.inputs.shape, after.inputs.dtype) == ((6 * copies, 1, 8, 8), torch.float32)
    assert not after.inputs.requires_grad
    assert ((after.inputs >= 0) & (after.inputs <= 1)).all()
    assert torch.equal(after.clean, after.inputs if defense.augments else step.inputs.repeat(copies, 1, 1, 1))
    assert torch.equal(after.labels, step.labels.repeat(copies))
    assert torch.equal(after.targets, step.targets.repeat(copies))
    assert len(after.rng) == 6 * copies
    assert defense.augments or defense.maximises or after.inputs is step.inputs


@every
def test_the_network_is_left_as_it_was(defense):
    network = defense.wrap(convolutional()).train()
    next(module for module in network.modules() if isinstance(module, torch.nn.Dropout)).eval()
    before = snapshot(network)
    step = defense.batch(network, judged(network, make_step(6)))
    if defense.moves_weights:
        defense.after_backward(network, step)
    assert snapshot(network) == before


@every
def test_it_remembers_nothing(defense):
    network, copy = defense.wrap(convolutional()), pickle.loads(pickle.dumps(defense))
    step, other = judged(network, make_step(6)), judged(network, make_step(5, seed=3))
    first = defense.batch(network, step).inputs
    defense.batch(network, other)
    assert torch.equal(defense.batch(network, step).inputs, first)
    assert torch.equal(copy.batch(network, step).inputs, first)
    assert copy == defense


@every
def test_a_checkpoint_restores_what_it_trained_and_calibrated(defense, tmp_path):
    recipe = {"model": {"network": suited_node(defense), "defenses": [node(defense)]}}
    network, data = checkpoint.build_network({"network": suited_node(defense)}), make_step(24)
    model = RobustClassifier(network, [defense], lambda parameters: torch.optim.SGD(parameters, lr=0.1))
    fit(model, data, batch=8)
    model.calibrate([(data.inputs, data.labels)], [(data.inputs, data.labels)])
    trained, x = model.network.eval(), make_step(6, seed=1).inputs
    assert trained(x).shape == (6, 10 + isinstance(trained, Detecting))
    checkpoint.save(tmp_path, trained, recipe)
    loaded = checkpoint.load(tmp_path)
    assert torch.equal(loaded(x), trained(x))
    torch.testing.assert_close(loaded.state_dict(), trained.state_dict(), rtol=0, atol=0, equal_nan=True)


def test_a_bare_defense_does_nothing():
    defense, step, network = Defense(), make_step(3), convolutional()
    assert defense.wrap(network) is network
    assert defense.batch(network, step) is step
    assert torch.equal(defense.loss(network, step, torch.ones(3)), torch.ones(3))
    before = snapshot(network)
    defense.after_backward(network, step)
    defense.after_step(network)
    defense.begin(network)
    defense.calibrate(network, [], [])
    assert snapshot(network) == before


def test_defenses_act_in_the_order_in_which_they_are_listed():
    order = []

    class Noted(Defense):
        def __init__(self, name):
            self.name = name

        def batch(self, network, step):
            order.append(self.name)
            return step

    train(convolutional(), [Noted("first"), Noted("second")])
    assert order == ["first", "second"] * 6


def test_a_loss_is_replaced_before_penalties_are_added():
    class Penalty(Defense):
        def loss(self, network, step, loss):
            return loss + 1e6

    trainer = train(convolutional(), [Penalty(), TRADES(eps=0.1, steps=1)])
    assert trainer.callback_metrics["train/loss"] > 1e6


def test_two_losses_in_place_of_the_same_are_refused():
    with pytest.raises(ValueError, match=r"^TRADES and MART each replace the loss: keep one of them\.$"):
        RobustClassifier(convolutional(), [TRADES(), MART()])


def test_two_searches_for_the_worst_inputs_are_refused():
    with pytest.raises(
        ValueError, match=r"^TRADES and AdversarialTraining each search for the worst inputs: keep"
    ):
        RobustClassifier(convolutional(), [TRADES(), AdversarialTraining()])
