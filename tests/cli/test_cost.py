import pytest
import torch

from robust_train.cli.cost import Cost, estimate_cost
from robust_train.perturbations import FGSM, PGD, UniversalGradient


def test_passes_are_counted_and_time_is_taken():
    data = [(torch.full((1, 2, 2), k / 40), k % 2) for k in range(40)]
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2))
    suite = {"fgsm": FGSM(), "pgd": PGD(steps=7, drop=False)}
    cost = estimate_cost(network, data, suite, seed=3, limit=None)
    assert cost.backwards == 1 + 7
    assert cost.forwards >= cost.backwards
    assert cost.seconds > 0


def test_learning_is_told_apart_and_in_proportion_to_its_images():
    data = [(torch.full((1, 2, 2), k / 400), k % 2) for k in range(400)]
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2))
    suite = {"fgsm": FGSM(), "universal": UniversalGradient(images=1000)}
    cost = estimate_cost(network, data, suite, training=data)
    assert (cost.forwards, cost.backwards) == (1, 1)  # those of FGSM alone
    assert cost.learning > 0
    assert "s of learning" in cost.sentence(400)


@pytest.mark.parametrize(("minutes", "samples"), [(1, 120), (0.5, 60), (0, 1)])
def test_time_buys_samples(minutes, samples):
    assert Cost(1, 1, seconds=0.5).affordable(minutes) == samples


@pytest.mark.parametrize(("samples", "words"), [(2, "1 s for 2"), (1000, "8 min"), (57600, "8.0 h")])
def test_it_is_said_in_words(samples, words):
    assert words in Cost(1, 1, seconds=0.5).sentence(samples)
