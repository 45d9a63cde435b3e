"""Any two defenses stack, or one sentence says why they do not."""

from dataclasses import replace
from itertools import combinations_with_replacement

import pytest
import torch

from robust_train import (
    Distillation,
    InformationPenalty,
    RobustClassifier,
    SpatialTransformer,
    UncertaintyDetector,
)
from tests.defenses.examples import EXAMPLES, make_step, suited
from tests.defenses.training import fit
from tests.toy_networks import convolutional

FIRST = [examples[0] for examples in EXAMPLES.values()]
PAIRS = [
    pytest.param([one, two], id=f"{type(one).__name__}-{type(two).__name__}")
    for one, two in combinations_with_replacement(FIRST, 2)
]
DETECTORS = ("DetectorHead", "UncertaintyDetector", "CurvatureDetector", "SideInformation")
REFUSED = {(one, two): "keep one." for one in DETECTORS for two in DETECTORS}
REFUSED |= {
    (one, late): f"list {late} before the detector."
    for one in DETECTORS
    for late in ("NoiseLayers", "SpatialTransformer")
}


def stacked(pair):
    """A network under both, or the sentence that refuses them."""
    special = [one for one in pair if isinstance(one, InformationPenalty)]
    network = suited([*special, *pair][0])
    try:
        return RobustClassifier(network, pair, lambda p: torch.optim.SGD(p, lr=0.01)), ""
    except ValueError as refusal:
        return None, str(refusal)


def expected(pair):
    """A part of the sentence that refuses them; empty where nothing stands against it."""
    one, two = pair
    for flag, part in (("replaces_loss", "replace the loss"), ("maximises", "search for the worst inputs")):
        if getattr(one, flag) and getattr(two, flag):
            return f"{type(one).__name__} and {type(two).__name__} each {part}: keep one of them."
    if one.reads_input_gradient and two.augments:
        return f"list {type(two).__name__} before it."
    return REFUSED.get((type(one).__name__, type(two).__name__), "")


@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair_is_refused_exactly_where_it_should_be_and_in_one_sentence(pair):
    for order in (pair, pair[::-1]):
        model, sentence = stacked(order)
        part = expected(order)
        assert (model is None) == bool(part), sentence
        assert part in sentence
        if sentence:
            assert any(type(one).__name__ in sentence for one in pair) or "The network has" in sentence
            assert sentence.endswith(".")
            assert ". " not in sentence
            assert "\n" not in sentence


@pytest.mark.parametrize("one", [SpatialTransformer(), Distillation()], ids=lambda one: type(one).__name__)
def test_a_detector_behind_another_network_reads_the_features_that_give_the_logits(one):
    network, x = convolutional(), torch.rand(3, 1, 8, 8)
    pair = UncertaintyDetector().wrap(one.wrap(network)).eval()
    assert pair.points.shape[::2] == (10, 64)
    logits, signs = pair.signs(x)
    torch.testing.assert_close(logits, network(x))
    assert signs.shape == (3, 2)


def accepted(pair):
    """The orders in which a pair stacks."""
    found = [order for order in (pair, pair[::-1]) if not expected(order)]
    return [pytest.param(order, id="-".join(type(one).__name__ for one in order)) for order in found]


ORDERS = [accepted(pair.values[0]) for pair in PAIRS]
ONCE = [orders[0] for orders in ORDERS if orders]
TRAINED = [order for orders in ORDERS for order in orders]


@pytest.mark.parametrize("pair", ONCE)
def test_a_pair_makes_a_step(pair):
    model, _ = stacked(pair)
    step = make_step(4)
    model.log_dict = lambda figures, **settings: None
    model._step = lambda *batch: replace(step, objective=model._objective)
    model.train()
    loss = model.training_step((step.inputs, step.labels), 0)
    loss.backward()
    model.on_after_backward()
    gradients = [weight.grad for weight in model.parameters() if weight.grad is not None]
    assert loss.isfinite()
    assert gradients
    assert all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.slow
@pytest.mark.parametrize("pair", TRAINED)
def test_a_pair_trains(pair):
    model, _ = stacked(pair)
    trainer = fit(model, make_step(8), batch=4)
    assert trainer.global_step == 2
    assert trainer.callback_metrics["train/loss"].isfinite()
    assert all(weight.isfinite().all() for weight in model.parameters())
