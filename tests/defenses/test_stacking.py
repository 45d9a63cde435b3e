"""Any two defenses stack, or one sentence says why they do not."""

from itertools import combinations

import pytest
import torch

from robust_train import Distillation, RobustClassifier, SpatialTransformer, UncertaintyDetector
from tests.defenses.examples import EXAMPLES, make_step
from tests.defenses.training import fit
from tests.toy_networks import convolutional

FIRST = [examples[0] for examples in EXAMPLES.values()]
PAIRS = [
    pytest.param([one, two], id=f"{type(one).__name__}-{type(two).__name__}")
    for one, two in combinations(FIRST, 2)
]


def stacked(pair):
    """A network under both, or the sentence that refuses them."""
    try:
        return RobustClassifier(convolutional(), pair, lambda p: torch.optim.SGD(p, lr=0.01)), ""
    except ValueError as refusal:
        return None, str(refusal)


@pytest.mark.parametrize("pair", PAIRS)
def test_two_that_do_the_same_are_refused_and_any_refusal_is_one_sentence(pair):
    for order in (pair, pair[::-1]):
        _, sentence = stacked(order)
        for flag in ("replaces_loss", "maximises"):
            assert sentence or not all(getattr(one, flag) for one in pair)
        if sentence:
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


def accepted(step):
    """Pairs that stack in one order or the other; a layer's name may hold in one alone."""
    return [pytest.param(p.values[0][::step], id=p.id) for p in PAIRS if stacked(p.values[0][::step])[0]]


def trains(pair):
    model, _ = stacked(pair)
    trainer = fit(model, make_step(8), batch=4)
    assert trainer.global_step == 2
    assert trainer.callback_metrics["train/loss"].isfinite()
    assert all(weight.isfinite().all() for weight in model.parameters())


@pytest.mark.parametrize("pair", accepted(1))
def test_a_pair_trains(pair):
    trains(pair)


@pytest.mark.slow
@pytest.mark.parametrize("pair", accepted(-1))
def test_a_pair_trains_in_the_other_order(pair):
    trains(pair)
