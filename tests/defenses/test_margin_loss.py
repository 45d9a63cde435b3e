from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy, one_hot

from robust_train import MarginLoss
from tests.defenses.examples import make_step


def loss_of(defense, logits, targets):
    step = replace(make_step(len(logits)), logits=logits, targets=targets)
    return defense.loss(None, step, torch.zeros(len(logits)))


def test_without_margin_and_temperature_it_is_the_cross_entropy():
    logits, labels = torch.randn(7, 10), torch.arange(7)
    expected = cross_entropy(logits, labels, reduction="none")
    torch.testing.assert_close(loss_of(MarginLoss(eps=0.0, temperature=1.0), logits, labels), expected)


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_two_classes_by_hand(temperature):
    """log(1 + exp(-(lead - sqrt 2 eps) / tau)) tau."""
    logits, lead = torch.tensor([[1.5, 0.0], [0.2, 0.0]]), torch.tensor([1.5, 0.2])
    expected = temperature * torch.log1p(torch.exp(-(lead - 2**0.5 * 0.7) / temperature))
    found = loss_of(MarginLoss(0.7, temperature), logits, torch.zeros(2, dtype=torch.int64))
    torch.testing.assert_close(found, expected)


def test_a_small_temperature_leaves_what_lacks_of_the_margin():
    logits, labels = torch.tensor([[3.0, 0.0], [0.5, 0.0]]), torch.zeros(2, dtype=torch.int64)
    found = loss_of(MarginLoss(eps=1.0, temperature=1e-3), logits, labels)
    torch.testing.assert_close(found, torch.tensor([0.0, 2**0.5 - 0.5]))


def test_certain_probabilities_are_labels():
    logits, labels = torch.randn(5, 10), torch.arange(5)
    certain = one_hot(labels, 10).float()
    torch.testing.assert_close(loss_of(MarginLoss(), logits, certain), loss_of(MarginLoss(), logits, labels))


@pytest.mark.parametrize("fields", [{"eps": -1.0}, {"temperature": 0.0}])
def test_numbers_without_meaning_are_refused(fields):
    with pytest.raises(ValueError, match=r"^MarginLoss: eps must be at least 0 and temperature positive\.$"):
        MarginLoss(**fields)
