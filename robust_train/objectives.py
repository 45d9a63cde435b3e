"""What a search ascends: ``(logits, goal) -> (N,)``, larger where the goal is nearer."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

from robust_train.types import Goal

__all__ = ["DLR", "CrossEntropy", "Margin", "Objective"]


class Objective(ABC):
    """A loss per sample that grows as the goal comes nearer; never reduced over the batch.

    Example:
        >>> class Logit(Objective):  # minus the logit of the label to leave
        ...     def __call__(self, logits, goal):
        ...         return -logits.gather(1, goal.labels[:, None]).squeeze(1)
        >>> Logit()(torch.tensor([[2.0, 5.0]]), Goal(torch.tensor([0])))
        tensor([-2.])
    """

    @abstractmethod
    def __call__(self, logits: Tensor, goal: Goal) -> Tensor:
        """``(N, K)`` logits to ``(N,)`` losses."""


@dataclass(frozen=True)
class CrossEntropy(Objective):
    r"""Cross-entropy of the label to leave, or minus that of the target.

    .. math:: \ell(z, y) = \log \sum_k e^{z_k} - z_y

    Where the last logit z_f means "flagged", the label is left to no avail by being flagged: then
    :math:`\log(e^{z_y} + e^{z_f})` takes the place of z_y.

    Example:
        >>> CrossEntropy()(torch.zeros(1, 2), Goal(torch.tensor([0])))
        tensor([0.6931])
    """

    def __call__(self, logits: Tensor, goal: Goal) -> Tensor:
        if goal.reject and not goal.targeted:
            avoided = goal.avoided(logits)
            inside, outside = (logits.masked_fill(m, -torch.inf).logsumexp(1) for m in (~avoided, avoided))
            return softplus(outside - inside)  # the difference of large logarithms would round to 0
        loss = cross_entropy(logits, goal.labels, reduction="none")
        return -loss if goal.targeted else loss


@dataclass(frozen=True)
class Margin(Objective):
    r"""Best allowed logit minus best one to avoid; positive exactly where the goal is reached.

    .. math:: \ell(z, y) = \max_{k \neq y} z_k - z_y

    References:
        Towards evaluating the robustness of neural networks (Carlini and Wagner, 2017)

    Example:
        >>> Margin()(torch.tensor([[2.0, 5.0]]), Goal(torch.tensor([0])))
        tensor([3.])
    """

    def __call__(self, logits: Tensor, goal: Goal) -> Tensor:
        return -goal.margin(logits)


@dataclass(frozen=True)
class DLR(Objective):
    r"""Difference of logits ratio: the margin, freed from the scale of the logits.

    .. math:: \ell(z, y) = \frac{\max_{k \neq y} z_k - z_y}{z_{\pi_1} - z_{\pi_3}},
        \qquad \pi \text{ sorts } z \text{ downwards}

    Targeted, the divisor is :math:`z_{\pi_1} - (z_{\pi_3} + z_{\pi_4}) / 2`. With fewer classes
    than the divisor needs, three or four, nothing is left to divide by but the margin itself: the
    plain margin is ascended.

    References:
        Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free
        attacks (Croce and Hein, 2020)

    Example:
        >>> DLR()(torch.tensor([[4.0, 3.0, 2.0]]), Goal(torch.tensor([0])))
        tensor([-0.5000])
    """

    def __call__(self, logits: Tensor, goal: Goal) -> Tensor:
        needed = 4 if goal.targeted else 3
        if logits.shape[1] < needed:
            return -goal.margin(logits)
        top = logits.topk(needed, dim=1).values
        below = (top[:, 2] + top[:, -1]) / 2
        return -goal.margin(logits) / (top[:, 0] - below).clamp_min(torch.finfo(logits.dtype).tiny)
