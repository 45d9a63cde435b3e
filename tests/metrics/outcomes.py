"""Outcomes written by hand: the class of each sample, before and after."""

import torch

from robust_train.types import Outcome

INF = float("inf")


def outcome(labels, clean, perturbed, size, index=None, scale=2.0, classes=4):
    """A prediction of -1 is a row of NaN."""
    count = len(labels)
    return Outcome(
        index=torch.arange(count) if index is None else torch.tensor(index, dtype=torch.int64),
        labels=torch.tensor(labels, dtype=torch.int64),
        logits=logits(clean, classes),
        perturbed_logits=logits(perturbed, classes),
        size=torch.tensor(size, dtype=torch.float64),
        scale=torch.full((count,), scale, dtype=torch.float64),
    )


def logits(predictions, classes):
    rows = torch.tensor(predictions, dtype=torch.int64).reshape(-1, 1)
    one_hot = torch.zeros(len(predictions), classes).scatter_(1, rows.clamp_min(0), 1.0)
    return one_hot.masked_fill(rows < 0, float("nan"))


# right and broken, right and standing, right and broken far away, right and censored, wrong, NaN
SIX = outcome(
    labels=[0, 1, 2, 3, 0, 0],
    clean=[0, 1, 2, 3, 1, -1],
    perturbed=[1, 1, 3, 3, 2, -1],
    size=[0.1, 0.3, 5.0, INF, 0.2, 0.0],
)
NONE = outcome([], [], [], [])
