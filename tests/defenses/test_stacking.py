"""Any two defenses stack, or one sentence says why they do not."""

from itertools import combinations

import pytest
import torch

from robust_train import RobustClassifier
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
            assert any(type(one).__name__ in sentence for one in pair)
            assert sentence.endswith(".")
            assert ". " not in sentence
            assert "\n" not in sentence


TRAINED = [pair for pair in PAIRS if stacked(pair.values[0])[0]]


def trains(pair):
    model, _ = stacked(pair)
    trainer = fit(model, make_step(8), batch=4)
    assert trainer.global_step == 2
    assert trainer.callback_metrics["train/loss"].isfinite()
    assert all(weight.isfinite().all() for weight in model.parameters())


@pytest.mark.parametrize("pair", TRAINED)
def test_a_pair_trains(pair):
    trains(pair)


@pytest.mark.slow
@pytest.mark.parametrize("pair", TRAINED)
def test_a_pair_trains_in_the_other_order(pair):
    trains(pair[::-1])
