"""True and false positives against counts by hand."""

import pytest
import torch

from robust_train.metrics.roc import auc, roc


def test_the_area_is_the_share_of_ordered_pairs():
    torch.manual_seed(0)
    clean, attacked = torch.randint(9, (40,)).double(), torch.randint(3, 12, (30,)).double()
    pairs = (attacked[:, None] > clean).double() + 0.5 * (attacked[:, None] == clean).double()
    found = auc(clean, attacked)
    assert found.value == pytest.approx(float(pairs.mean()))
    assert 0 < found.low < found.value < found.high <= 1
    assert auc(clean, attacked + 100).value == 1.0
    assert auc(clean, attacked[:0]).n == 0


@pytest.mark.parametrize(("shift", "value"), [(9.0, 1.0), (-9.0, 0.0)])
def test_few_scores_that_are_apart_prove_little(shift, value):
    clean = torch.arange(3.0)
    found = auc(clean, clean + shift)
    assert (found.value, found.n) == (value, 3)
    assert found.high - found.low > 0.5  # Wilson's, of three


def test_without_clean_images_there_is_no_curve():
    assert roc(torch.zeros(0), torch.ones(3)) == []


def test_the_curve_of_scores_that_tell_nothing_is_the_diagonal():
    scores = torch.arange(1000.0)
    for x, share in roc(scores, scores, [0.0, 0.05, 0.5, 1.0]):
        assert share.value == x


def test_no_more_clean_images_are_flagged_than_are_said_to_be():
    clean, attacked = torch.tensor([0.0, 1.0, 2.0, 3.0]), torch.tensor([2.5, 2.0, 9.0])
    found = roc(clean, attacked, [0.0, 0.3, 0.5])
    assert [(x, round(y.value, 3)) for x, y in found] == [(0.0, 0.333), (0.25, 0.667), (0.5, 1.0)]
