"""Goals, records and predictions."""

import pytest
import torch

from robust_train import Goal, Outcome, Perturbed
from robust_train.types import predict

NAN, INF = float("nan"), float("inf")


def test_the_margin_by_hand():
    logits = torch.tensor([[3.0, 1.0, 2.0]])
    for goal, margin in [
        (Goal(torch.tensor([0])), 1.0),
        (Goal(torch.tensor([1])), -2.0),
        (Goal(torch.tensor([0]), targeted=True), -1.0),
        (Goal(torch.tensor([2]), targeted=True), 1.0),
        (Goal(torch.tensor([0]), reject=True), 2.0),
        (Goal(torch.tensor([1]), reject=True), -1.0),
        (Goal(torch.tensor([0]), targeted=True, reject=True), -1.0),
    ]:
        assert goal.margin(logits).item() == margin
        assert goal.reached(logits).item() == (margin < 0)


@pytest.mark.parametrize("reject", [False, True])
@pytest.mark.parametrize("targeted", [False, True])
def test_a_goal_is_reached_where_the_prediction_says_so(targeted, reject):
    logits, labels = torch.randn(200, 5), torch.arange(200) % 4
    predictions = logits.argmax(1)
    reached = predictions == labels if targeted else predictions != labels
    if reject:
        reached &= predictions != 4
    assert torch.equal(Goal(labels, targeted, reject).reached(logits), reached)


def test_a_tie_is_not_reached():
    assert not Goal(torch.tensor([0])).reached(torch.zeros(1, 3)).any()
    assert not Goal(torch.tensor([0]), targeted=True).reached(torch.zeros(1, 3)).any()


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_logits_that_are_not_finite_reach_nothing_and_predict_nothing(bad, place):
    logits = torch.tensor([[1.0, 2.0, 3.0]] * 2)
    logits[0, place] = bad
    for targeted in (False, True):
        goal = Goal(torch.tensor([2 if targeted else 0] * 2), targeted)
        assert goal.reached(logits).tolist() == [False, True]
    assert predict(logits).tolist() == [-1, 2]


def test_records_take_rows_of_every_tensor_and_keep_the_rest():
    goal = Goal(torch.tensor([4, 5, 6]), targeted=True)
    rows = torch.tensor([2, 0])
    assert goal.take(rows).labels.tolist() == [6, 4]
    assert goal.take(rows).targeted
    found = Perturbed(torch.arange(3.0)[:, None], torch.arange(3.0)).take(rows)
    assert (found.size.tolist(), found.parameters) == ([2.0, 0.0], None)


def test_an_outcome_predicts_from_both_logits():
    clean, perturbed = torch.tensor([[1.0, 0.0]] * 2), torch.tensor([[0.0, 1.0], [NAN, 0.0]])
    two = torch.zeros(2)
    outcome = Outcome(torch.arange(2), torch.zeros(2).long(), clean, perturbed, two, two)
    assert outcome.predictions.tolist() == [0, 0]
    assert outcome.perturbed_predictions.tolist() == [1, -1]
    assert outcome.take(torch.tensor([1])).index.tolist() == [1]
