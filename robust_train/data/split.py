"""Holding out a share of a data set."""

import torch
from torch import Tensor


def stratified_split(labels: Tensor, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Choose ``count`` samples at random, with the proportions of the classes kept.

    The shuffled samples are sorted by class, and taken at regular steps: each class gives its share
    to within one sample.

    Args:
        labels: ``(N,)``.
        count: Samples to hold out, at most N.
        seed: Seed of the choice, which nothing else influences.

    Returns:
        The positions of the rest and of what is held out, each in ascending order.

    Example:
        >>> rest, held = stratified_split(torch.tensor([0, 0, 0, 0, 1, 1]), count=3, seed=0)
        >>> len(rest), (held < 4).sum().item(), (held >= 4).sum().item()
        (3, 2, 1)
    """
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    order = order[labels[order].argsort(stable=True)]
    due = torch.arange(len(labels) + 1) * count // max(1, len(labels))
    held = due.diff() > 0
    return order[~held].sort().values, order[held].sort().values
