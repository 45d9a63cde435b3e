"""Steps that the box of admissible pixels lets a search take."""

import torch
from torch import Tensor

from robust_train.norms import norm, project, unsqueeze_like
from robust_train.types import Bounds, Norm

_ROUNDS = 4  # of the scaling: each finds the pixels that its predecessor pushed out


def movable(x: Tensor, direction: Tensor, bounds: Bounds) -> Tensor:
    """The direction without the pixels that it would push through a wall that they stand at.

    Example:
        >>> movable(torch.tensor([[0.0, 0.5]]), torch.tensor([[-1.0, -1.0]]), (0.0, 1.0))
        tensor([[ 0., -1.]])
    """
    if bounds is None:
        return direction
    held = (x <= bounds[0]) & (direction < 0) | (x >= bounds[1]) & (direction > 0)
    return direction.masked_fill(held, 0)


def scale_to(center: Tensor, r: Tensor, eps: Tensor, bounds: Bounds) -> Tensor:
    r"""Perturbations :math:`\mathrm{clip}(s r)` of the l2 norms ``eps``, inside the box around ``center``.

    Pixels that reach the box leave their share to the others, so that a perturbation does not end
    up shorter than it was meant to be; it does only where the box holds no longer one.

    Example:
        >>> scale_to(torch.zeros(1, 2), torch.tensor([[3.0, -4.0]]), torch.tensor([0.6]), (0.0, 1.0))
        tensor([[0.6000, 0.0000]])
    """
    s = eps / norm(r, "l2").clamp_min(1e-30)
    if bounds is None:
        return unsqueeze_like(s, r) * r
    low, high = bounds[0] - center, bounds[1] - center
    for _ in range(_ROUNDS):
        scaled = unsqueeze_like(s, r) * r
        clipped = torch.clamp(scaled, low, high)
        free = norm(torch.where(clipped == scaled, r, 0), "l2")
        left = (eps.square() - norm(clipped, "l2").square()).clamp_min(0)
        s = torch.where(free > 0, torch.hypot(s, left.sqrt() / free.clamp_min(1e-30)), s)
    return torch.clamp(unsqueeze_like(s, r) * r, low, high)


def shorten_to(center: Tensor, r: Tensor, p: Norm, eps: Tensor, bounds: Bounds) -> Tensor:
    """The nearest perturbations of p norm at most ``eps``, ``(N,)``, inside the box around ``center``.

    In l0 the largest components that the box allows are kept.

    Example:
        >>> shorten_to(torch.zeros(1, 2), torch.tensor([[3.0, -4.0]]), "l0", torch.tensor([1.0]), (0.0, 1.0))
        tensor([[1., 0.]])
    """
    low, high = bounds or (-float("inf"), float("inf"))
    if p != "l0":
        return project(r, low - center, high - center, p, eps)
    r = torch.clamp(r, low - center, high - center)
    order = r.flatten(1).abs().argsort(dim=1, descending=True, stable=True)
    rank = order.argsort(dim=1).view_as(r)
    return r.masked_fill(rank >= unsqueeze_like(eps, r), 0)
