"""Small synthetic results, made by hand so that every figure can be counted."""

import math

import pytest
import torch

from robust_train.evaluation.results import RegimeResult, Results
from robust_train.metrics.estimate import Estimate, median, rate
from robust_train.types import Outcome

SCRIPT = "<script>alert(1)</script>"
CLEAN = Estimate(0.75, 0.3, 0.95, 4)


def outcome(labels, predictions, perturbed, size, classes=3):
    """Outcome with the given classes; -1 asks for a row of NaN. Images have norm 2."""
    labels, size = torch.tensor(labels), torch.tensor(size, dtype=torch.float64)
    index = torch.arange(len(labels)) + 10
    scale = torch.full_like(size, 2.0)
    return Outcome(index, labels, logits(predictions, classes), logits(perturbed, classes), size, scale)


def logits(predictions, classes):
    rows = [torch.eye(classes)[p] if p >= 0 else torch.full((classes,), math.nan) for p in predictions]
    return torch.stack(rows) if rows else torch.zeros(0, classes)


def regime(name, found, *, minimal=False, norm="linf", eps=None, kind="PGD", examples=None, **settings):
    if minimal:
        metrics = {"median_size": median(found.size)}
    else:
        robust = (found.predictions == found.labels) & (found.perturbed_predictions == found.labels)
        fooled = found.perturbed_predictions != found.predictions
        metrics = {"robust_accuracy": rate(robust), "fooling_rate": rate(fooled)}
    examples = torch.rand(2, 1, 4, 4) if examples is None else examples
    return RegimeResult(name, kind, settings, minimal, norm, eps, metrics, found, 12.34, 10.06, 1.5, examples)


def collect(*regimes, clean=CLEAN, examples=None, **rest):
    examples = torch.rand(2, 1, 4, 4) if examples is None else examples
    index = torch.arange(len(examples)) + 10
    return Results(clean, {r.name: r for r in regimes}, examples, index, **rest)


@pytest.fixture
def results():
    """Four images, three of them right; one regime of each sort, and a hostile name in every place."""
    labels, predictions = [0, 1, 2, 0], [0, 1, 2, 1]
    attack = outcome(labels, predictions, [0, 2, -1, 1], [0.03, 0.03, 0.03, 0.0])
    search = outcome(labels, predictions, [1, 1, 0, 0], [0.5, math.inf, 2.0, 0.25])
    failed = outcome(labels, predictions, predictions, [math.inf] * 4)
    return collect(
        regime("pgd", attack, eps=8 / 255, steps=40, bounds=(0.0, 1.0)),
        regime("deepfool", search, minimal=True, norm="l2", kind="DeepFool", overshoot=math.nan),
        regime(f"=1+1{SCRIPT}", failed, minimal=True, norm="l2", kind="RandomDirection", bounds=None),
        classes=("cat", SCRIPT, "dog"),
        settings={"seed": 0, "tolerance": math.inf, "versions": {"torch": SCRIPT}},
        warnings=(f"Beware of {SCRIPT}.",),
    )


@pytest.fixture
def no_regimes():
    return collect()


@pytest.fixture
def no_samples():
    nothing = Estimate(math.nan, 0.0, 1.0, 0)
    found = outcome([], [], [], [])
    images = torch.zeros(0, 1, 4, 4)
    return collect(
        regime("pgd", found, eps=0.1, examples=images),
        regime("deepfool", found, minimal=True, norm="l2", examples=images),
        clean=nothing,
        examples=images,
    )
