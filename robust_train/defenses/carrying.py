"""Perturbations that a network carries from one training step to the next."""

import torch
from torch import Tensor, nn

# No buffer: it is as long as the batch, and neither an average of weights nor the start of a pass on
# several processes, which copy buffers, must touch it.
_DELTA = "_carried_delta"


def carried(network: nn.Module, like: Tensor) -> Tensor:
    """``(N, ...)`` the perturbation of the last step; zero for rows that it had not.

    Example:
        >>> from torch.nn import Linear
        >>> carried(Linear(2, 1), like=torch.ones(1, 2))
        tensor([[0., 0.]])
    """
    delta = torch.zeros_like(like)
    last: Tensor | None = getattr(network, _DELTA, None)
    if last is not None and last.shape[1:] == like.shape[1:]:
        rows = min(len(last), len(like))
        delta[:rows] = last[:rows].to(like)
    return delta


def forget(network: nn.Module) -> None:
    """Start from zero again."""
    vars(network).pop(_DELTA, None)


def climb(network: nn.Module, delta: Tensor, g: Tensor, alpha: float, eps: float) -> None:
    """Carry the perturbation on, one step up along the signs of the gradient, in the ball of linf.

    Rows that a shorter batch has not are carried on as they are.
    """
    moved = delta + alpha * torch.nan_to_num(g.detach()).sign()
    last: Tensor | None = getattr(network, _DELTA, None)
    if last is not None and last.shape[1:] == moved.shape[1:]:
        moved = torch.cat([moved, last[len(moved) :].to(moved)])
    setattr(network, _DELTA, moved.clamp(-eps, eps))
