"""More of what a search may spend never leaves a single sample safer."""

from dataclasses import fields, replace
from itertools import pairwise

import pytest
import torch

from robust_train import (
    FAB,
    LBFGS,
    PGD,
    CarliniWagner,
    Corrupted,
    Corruption,
    DeepFool,
    WorstPose,
)
from robust_train.types import Goal
from tests.perturbations.examples import EVERY, name
from tests.toy_networks import convolutional, curved

RESTARTING = [p for p in EVERY if "restarts" in {field.name for field in fields(p)}]

# The field of which there is more, and what there is of it; nothing else depends on it.
SPENDING = [
    (PGD(eps=0.05, step_size=0.01, drop=True), "steps", (1, 3, 10)),
    (PGD(norm="l2", eps=0.5, step_size=0.05, drop=True), "steps", (1, 3, 10)),
    (WorstPose(grid=(), limits=(40.0, 1.0, 1.0)), "draws", (1, 4, 16)),
    (Corrupted(transform=Corruption(kind="impulse_noise"), severity=3.0), "draws", (1, 2, 6)),
    (DeepFool(candidates=2, refinements=0), "steps", (1, 2, 20)),
    (DeepFool(), "refinements", (0, 2, 10)),
    (FAB(bisections=0), "steps", (2, 5, 20)),
    (LBFGS(), "binary_search_steps", (2, 5, 10)),
    (CarliniWagner(steps=20, learning_rate=0.05, initial_const=0.1), "binary_search_steps", (1, 3, 6)),
]


def spared(perturbation, network, inputs, labels):
    """``(N,)`` the sizes, or, within a budget, whether a sample stands."""
    found = perturbation(network, inputs, labels)
    return found.size if perturbation.minimal else (~Goal(labels).reached(network(found.inputs))).double()


def compare(searches):
    """``(N,)`` whether the last search spares a sample less than the first; none spares any more."""
    less = []
    for network, inputs in networks():
        labels = network(inputs).argmax(1)
        found = [spared(search, network, inputs, labels) for search in searches]
        for few, many in pairwise(found):
            assert (many <= few).all()
        less.append(found[-1] < found[0])
    return torch.cat(less)


def networks(dtype=torch.float64):
    images = torch.rand(32, 1, 8, 8, dtype=dtype)
    yield convolutional(dtype=dtype), images
    yield curved((1, 8, 8), 6, dtype), (2 * images - 0.5).clamp(0, 1)  # half of the pixels at the walls


@pytest.mark.parametrize("perturbation", RESTARTING, ids=name)
def test_more_restarts(perturbation):
    if isinstance(perturbation, FAB):
        perturbation = replace(perturbation, bisections=0)  # which bring each of two finds as far as they can
    searches = [replace(perturbation, restarts=k) for k in (1, 2, 5)]
    compare(searches)


@pytest.mark.parametrize(("perturbation", "field", "values"), SPENDING, ids=lambda v: type(v).__name__)
def test_more_of_a_field(perturbation, field, values):
    assert compare([replace(perturbation, **{field: value}) for value in values]).any()
