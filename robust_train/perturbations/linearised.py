"""The network linearised about a point, and the smallest step onto one of its boundaries."""

from typing import Any

import torch
from torch import Tensor

from robust_train.attacking.gradients import backward
from robust_train.norms import norm
from robust_train.types import Bounds, Goal, Network, Norm

_ROUNDS = 50  # of Newton's iteration; each saturates at least one more pixel
_MISSING = 1e-6  # share of the gap that rounding may leave


def linearise(network: Network, x: Tensor, goal: Goal, rivals: int) -> tuple[Tensor, Tensor]:
    r"""The lead of the best allowed classes over the best class to avoid, and its gradients.

    .. math:: f'_k = f_k(x) - f_y(x), \qquad w'_k = \nabla_x f'_k

    Args:
        network: Images to logits.
        x: ``(N, ...)`` where.
        goal: What counts as success for each of the N samples.
        rivals: Classes at the most, by descending logit.

    Returns:
        ``(N, k)`` leads, positive behind the boundary, and ``(N, k, D)`` gradients.
    """
    x = x.detach().requires_grad_()
    logits = network(x)
    avoided = goal.avoided(logits)
    allowed = 1 if goal.targeted else logits.shape[1] - 1 - goal.reject
    best = logits.masked_fill(avoided, -torch.inf).topk(min(rivals, allowed), dim=1).values
    f = best - logits.masked_fill(~avoided, -torch.inf).amax(1, keepdim=True)
    last = f.shape[1] - 1
    w = [backward(f[:, k], x, retain_graph=k < last).flatten(1) for k in range(last + 1)]
    return f.detach(), torch.stack(w, 1)


def check_candidates(search: Any) -> None:
    """Refuse a search that looks at no class but the one to leave."""
    if not search.candidates >= 2:
        raise ValueError(
            f"{type(search).__name__}: candidates must be at least 2, the class to leave and another, "
            f"not {search.candidates}."
        )


def smallest_step(origin: Tensor, w: Tensor, gap: Tensor, p: Norm, bounds: Bounds) -> Tensor:
    r"""Smallest step from each origin that gains ``gap`` along one of its ``w``, inside the box.

    .. math:: \arg\min_{k,\,r} \|r\|_p \quad \text{subject to} \quad \langle w_k, r \rangle \ge \gamma_k,
        \; l \le x + r \le u

    Args:
        origin: ``(N, ...)`` inside the box.
        w: ``(N, k, D)``.
        gap: ``(N, k)``; there is nothing to gain where it is not positive.
        p: linf, l2 or l1.
        bounds: The box, if there is one.

    Returns:
        ``(N, ...)`` steps; where the box is too small for every gap, as far as it goes.
    """
    room, u = _room(origin, w, bounds), w.abs()
    r, missed = _greedy(u, room, gap) if p == "l1" else _spread(u, room, gap, p)
    sizes = norm(r.flatten(0, 1), p).view_as(gap).masked_fill(missed, torch.inf)
    nearest = sizes.argmin(1)[:, None, None].expand(-1, 1, r.shape[2])
    return (r * w.sign()).gather(1, nearest).view_as(origin)


def _room(origin: Tensor, w: Tensor, bounds: Bounds) -> Tensor:
    """``(N, k, D)`` how far each pixel can go in the direction of each ``w``."""
    if bounds is None:
        return torch.full_like(w, torch.inf)
    x = origin.flatten(1)[:, None]
    return torch.where(w > 0, bounds[1] - x, x - bounds[0])


def _spread(u: Tensor, room: Tensor, gap: Tensor, p: Norm) -> tuple[Tensor, Tensor]:
    r"""Magnitudes of the steps, ``(N, k, D)``, and where the gap is out of reach, ``(N, k)``.

    They are :math:`\min(t v, c)`, where v is u (l2) or 1 (linf) and c the room. The gain is concave
    in t: Newton's iteration from below reaches the root in finitely many rounds.
    """
    v = u if p == "l2" else torch.ones_like(u)
    t = gap.clamp_min(0) / (u * v).sum(2).clamp_min(1e-30)
    missed = torch.zeros_like(gap, dtype=torch.bool)
    for _ in range(_ROUNDS):
        free = t[..., None] * v < room
        missing = gap - (u * torch.where(free, t[..., None] * v, room)).sum(2)
        slope = (u * v * free).sum(2)
        short = missing > _MISSING * gap.abs()
        missed, step = short & (slope == 0), short & (slope > 0)
        if not bool(step.any()):
            break
        t = t + torch.where(step, missing / slope.clamp_min(1e-30), 0)
    return torch.minimum(t[..., None] * v, room), missed


def _greedy(u: Tensor, room: Tensor, gap: Tensor) -> tuple[Tensor, Tensor]:
    """The same in l1: the steepest pixels go to the wall, one after the other, until the gap is gained."""
    steep, order = u.sort(dim=2, descending=True, stable=True)
    space = room.gather(2, order)
    gained = torch.where(steep > 0, steep * space, 0).cumsum(2)
    before = torch.cat([torch.zeros_like(gained[..., :1]), gained[..., :-1]], 2)
    left = (gap[..., None] - before).clamp_min(0)
    far = torch.minimum(torch.where(steep > 0, left / steep.clamp_min(1e-30), 0), space)
    missed = gained[..., -1] < gap * (1 - _MISSING)
    return torch.zeros_like(u).scatter_(2, order, far), missed
