"""Candidates of each sample, tried in turn until one reaches the goal."""

from collections.abc import Callable

import torch
from torch import Tensor

from robust_train.attacking.dropping import Standing
from robust_train.types import Goal, Network

_ROWS = 64  # of a batch, at least: what is left of a batch tries several candidates at once


def first_reached(
    network: Network,
    goal: Goal,
    count: int,
    candidates: Callable[[Tensor, Tensor], Tensor],
    drop: bool = True,
) -> tuple[Tensor, Tensor]:
    """The first candidate of each sample that reaches the goal, else the one of the smallest margin.

    Batches keep their size as samples leave: those that are left try more candidates at once. What
    is found is the same for any number at once.

    Args:
        network: Images to logits.
        goal: Of N samples.
        count: Candidates of each sample.
        candidates: The images of the given ``(n,)`` samples and ``(n, k)`` places, ``(n * k, ...)``.
        drop: Let a sample go once it reaches the goal; without, the smallest margin of all counts.

    Returns:
        ``(N,)`` places and ``(N,)`` margins, ``inf`` where every logit was bad.
    """
    total, device = len(goal.labels), goal.labels.device
    place = torch.zeros(total, dtype=torch.int64, device=device)
    least = torch.full((total,), torch.inf, dtype=torch.float64, device=device)
    standing, start = Standing(total, device), 0
    while start < count and len(standing):
        some = torch.arange(start, min(count, start + max(total, _ROWS) // len(standing)), device=device)
        places = some.expand(len(standing), -1)
        margin = _margins(network, goal, places, candidates(standing.rows, places))
        column = (margin < 0).int().argmax(1) if drop else margin.argmin(1)
        column = torch.where((margin < 0).any(1), column, margin.argmin(1))
        value = margin.gather(1, column[:, None]).squeeze(1)
        done = (least[standing.rows] < 0) & drop
        better = ~done & (value < least[standing.rows])
        place[standing.rows[better]] = places[better, column[better]]
        least[standing.rows[better]] = value[better]
        (goal,) = standing.drop((least[standing.rows] < 0) & drop, goal)
        start += len(some)
    return place, least


def _margins(network: Network, goal: Goal, places: Tensor, images: Tensor) -> Tensor:
    """``(n, k)`` float64, ``inf`` where a logit is not finite."""
    rows = torch.arange(len(places), device=places.device).repeat_interleave(places.shape[1])
    with torch.no_grad():
        margin = goal.take(rows).margin(network(images))
    return margin.double().nan_to_num(torch.inf, torch.inf, -torch.inf).view_as(places)
