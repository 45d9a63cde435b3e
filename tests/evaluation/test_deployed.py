from collections import namedtuple
from contextlib import contextmanager

import pytest
import torch
from torch import nn

from robust_train.evaluation.deployed import Deployed


def scores(x):
    return x.flatten(1)[:, :3]


@pytest.mark.parametrize(
    ("output", "key"),
    [
        (lambda x: {"scores": scores(x), "features": x}, "scores"),
        (lambda x: (x, scores(x)), 1),
        (lambda x: [scores(x), x], 0),
        (lambda x: namedtuple("Output", "features scores")(x, scores(x)), 1),
        (scores, None),
    ],
)
def test_logits_are_found(output, key):
    x = torch.rand(2, 1, 4, 4)
    assert torch.equal(Deployed(output, logits=key)(x), scores(x))


@pytest.mark.parametrize(
    ("output", "key", "sentence"),
    [
        (
            lambda x: {"scores": scores(x), "features": x},
            None,
            "returned a dict with scores, features, not logi",
        ),
        (
            lambda x: {"scores": scores(x)},
            "scoers",
            "a dict with scores, not logits at 'scoers': name them by",
        ),
        (lambda x: (x, scores(x)), None, r"returned a tuple, not logits: name them by logits=\.\.\."),
        (lambda x: (x, scores(x)), 2, "returned a tuple, not logits at 2: name them by"),
        (scores, "scores", "returned a Tensor, not logits at 'scores': leave logits out$"),
        (scores, 0, "returned a Tensor, not logits at 0: leave logits out$"),
        (lambda x: x, None, r"returned shape \(2, 1, 4, 4\) for 2 inputs, not \(N, classes\) logits"),
        (lambda x: scores(x)[:, 0], None, r"returned shape \(2,\) for 2 inputs"),
        (lambda x: scores(x).T, None, r"returned shape \(3, 2\) for 2 inputs"),
    ],
)
def test_anything_else_is_refused_in_a_sentence(output, key, sentence):
    with pytest.raises(ValueError, match=sentence):
        Deployed(output, logits=key)(torch.rand(2, 1, 4, 4))


def test_half_of_a_normalisation_is_refused():
    with pytest.raises(ValueError, match="Normalisation needs both mean and std"):
        Deployed(scores, mean=[0.5])


def test_a_search_keeps_its_precision_and_the_call_is_cast():
    seen = []
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 3)).to(torch.bfloat16)
    network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].dtype))
    assert Deployed(network)(torch.rand(2, 1, 4, 4)).dtype == torch.float32
    assert Deployed(network.double())(torch.rand(2, 1, 4, 4)).dtype == torch.float64
    assert seen == [torch.bfloat16, torch.float64]


def test_each_call_runs_in_the_precision_that_was_asked_for():
    entered = []

    @contextmanager
    def precision():
        entered.append(True)
        yield

    Deployed(scores, precision=precision)(torch.rand(2, 1, 4, 4))
    assert entered == [True]
