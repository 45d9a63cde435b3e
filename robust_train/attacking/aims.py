"""Classes that are run towards one at a time."""

import torch
from torch import Tensor

from robust_train.types import Goal, Network


def aims(logits: Tensor, goal: Goal, targets: int) -> list[Goal]:
    """What each run of a search approaches, whatever counts in the end.

    Args:
        logits: ``(N, K)`` of the inputs.
        goal: What counts.
        targets: The likeliest classes that the goal allows, at the most; with 0, or where the goal
            has a target of its own, the one run approaches the goal itself.

    Example:
        >>> logits = torch.tensor([[5.0, 1.0, 3.0]])
        >>> [aim.labels.tolist() for aim in aims(logits, Goal(torch.tensor([0])), targets=9)]
        [[2], [1]]
    """
    if not targets or goal.targeted:
        return [goal]
    allowed = logits.masked_fill(goal.avoided(logits), -torch.inf)
    ranks = allowed.topk(min(targets, logits.shape[1] - 1 - goal.reject), dim=1).indices
    return [Goal(labels, targeted=True, reject=goal.reject) for labels in ranks.unbind(1)]


def aims_at(network: Network, inputs: Tensor, goal: Goal, targets: int) -> list[Goal]:
    """The same for a search without logits at hand: it pays a forward pass where there is a choice."""
    if not targets or goal.targeted:
        return [goal]
    with torch.no_grad():
        return aims(network(inputs), goal, targets)
