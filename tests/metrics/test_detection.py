"""What a detector catches, against counts by hand."""

from dataclasses import replace

import pytest
import torch

from robust_train.metrics.detection import Detection
from robust_train.types import Outcome, suspicion

INF = float("inf")


def found(clean, attacked, wrong=None, size=None):
    """Given scores of the flag; beneath it class 0 is right, and attacked images are class 1 where wrong."""
    count = len(clean)
    wrong = torch.ones(count) if wrong is None else torch.tensor(wrong)
    before = torch.tensor([[1.0, 0.0, 1 + s] for s in clean])
    after = torch.stack([torch.tensor([1 - w, w, 1 + s]) for w, s in zip(wrong, attacked, strict=True)])
    size = torch.full((count,), 0.1) if size is None else torch.tensor(size)
    labels = torch.zeros(count, dtype=torch.int64)
    return Outcome(torch.arange(count), labels, before, after, size, size, reject=True)


CLEAN = [-4.0, -3.0, -2.0, -1.0, 1.0]  # one false positive of five


def test_a_search_that_went_on_has_the_whole_curve():
    detection = Detection.of(found(CLEAN, [-5.0, -3.5, -2.5, 0.5, 2.0]))
    assert (detection.caught.value, detection.caught.n) == (0.4, 5)
    assert detection.auc.value == pytest.approx((0 + 1 + 2 + 4 + 5) / 25)
    assert [(x, round(y.value, 3)) for x, y in detection.curve] == [
        (0.0, 0.2), (0.2, 0.4), (0.4, 0.4), (0.6, 0.6), (0.8, 0.8), (1.0, 1.0),
    ]  # fmt: skip


def test_the_curve_of_a_search_that_ended_when_it_passed_ends_at_the_threshold():
    """Four pass by a hair, so that all are flagged just below, where no search has been tried."""
    outcome = found(CLEAN, [-0.1, -0.1, -0.1, -0.1, 2.0])
    detection = Detection.of(outcome, onward=False)
    assert detection.auc is None
    assert [(x, y.value) for x, y in detection.curve] == [(0.0, 0.2), (0.2, 0.2)]
    assert Detection.of(outcome).curve[1][1].value == 1.0


def test_only_what_is_right_before_and_turned_within_the_budget_counts():
    outcome = found(CLEAN, [3.0] * 5, wrong=[1.0, 0.0, 1.0, 1.0, 1.0], size=[0.1, 0.1, 0.3, INF, 0.1])
    outcome = replace(outcome, labels=torch.tensor([0, 0, 0, 0, 1]))
    assert Detection.of(outcome, eps=0.2).caught.n == 1
    assert Detection.of(outcome).caught.n == 2
    assert Detection.of(replace(outcome, labels=outcome.labels + 5)).caught.n == 0


def test_what_is_not_finite_is_not_flagged():
    outcome = found(CLEAN, [INF, float("nan"), 2.0, 2.0, 2.0])
    assert suspicion(outcome.perturbed_logits)[:2].tolist() == [-INF, -INF]
    assert Detection.of(outcome).caught.value == 0.6
    flagged = suspicion(outcome.perturbed_logits) > 0
    assert torch.equal(flagged, outcome.perturbed_flagged)
