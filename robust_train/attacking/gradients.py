"""Gradients with respect to the input, and the count of what they cost."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from robust_train.types import Network


class Evaluated(NamedTuple):
    """One forward and one backward pass: ``(N, K)``, ``(N,)`` and the shape of the inputs."""

    logits: Tensor
    values: Tensor
    gradient: Tensor


def input_gradient(network: Network, x: Tensor, score: Callable[[Tensor], Tensor]) -> Evaluated:
    r"""Logits, scores and :math:`\nabla_x \sum_i s_i(f(x_i))`, in one pass each way.

    Scores are summed, never averaged: the gradient of a sample does not depend on how many others
    share its batch. Where no gradient exists or it is not finite, it is zero; the preflight of an
    evaluation tells of such networks.
    """
    x = x.detach().requires_grad_()
    logits = network(x)
    values = score(logits)
    gradient = backward(values, x)
    return Evaluated(logits.detach(), values.detach(), gradient)


def backward(values: Tensor, x: Tensor, retain_graph: bool = False) -> Tensor:
    """Gradient of the sum of ``values`` with respect to ``x``; parameters are left alone."""
    if not values.requires_grad:
        return torch.zeros_like(x)
    (gradient,) = torch.autograd.grad(values.sum(), x, retain_graph=retain_graph, allow_unused=True)
    if gradient is None:
        return torch.zeros_like(x)
    return torch.nan_to_num(gradient, nan=0.0, posinf=0.0, neginf=0.0)


class Counted(nn.Module):
    """A network that counts the samples that pass through it, forwards and backwards.

    Example:
        >>> network = Counted(nn.Linear(2, 3))
        >>> _ = input_gradient(network, torch.zeros(5, 2), lambda logits: logits[:, 0])
        >>> network.forwards, network.backwards
        (5, 5)
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self.forwards = self.backwards = 0

    def forward(self, x: Tensor) -> Tensor:
        self.forwards += len(x)
        logits: Tensor = self.network(x)
        if logits.requires_grad and x.requires_grad:
            logits.register_hook(self._count)  # type: ignore[no-untyped-call]
        return logits

    def _count(self, gradient: Tensor) -> None:
        self.backwards += len(gradient)
