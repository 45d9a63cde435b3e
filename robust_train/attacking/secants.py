"""What L-BFGS knows of the curvature, a memory for each sample."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from robust_train.types import Rows


@dataclass(frozen=True, eq=False)
class Secants(Rows):
    r"""The last steps of each sample and the changes of its gradient, as an inverse Hessian.

    .. math:: H = V^\top H' V + \rho\, s s^\top, \qquad V = I - \rho\, y s^\top,
        \qquad \rho = 1 / \langle s, y \rangle

    from the newest pair to the oldest, and :math:`H' = \gamma I` where none is left.

    Args:
        s: ``(N, m, D)`` steps, the newest last.
        y: ``(N, m, D)`` changes of the gradient.
        rho: ``(N, m)``, 0 where there is no pair yet.
        gamma: ``(N,)`` scale of the identity.

    References:
        Updating quasi-Newton matrices with limited storage (Nocedal, 1980)

    Example:
        >>> secants = Secants.none(torch.ones(1, 2), 3, torch.ones(1))
        >>> pair = torch.tensor([[1.0, 0.0]]), torch.tensor([[4.0, 0.0]])
        >>> secants.push(torch.tensor([True]), *pair).times(torch.tensor([[8.0, 8.0]]))
        tensor([[2., 2.]])
    """

    s: Tensor
    y: Tensor
    rho: Tensor
    gamma: Tensor

    @classmethod
    def none(cls, like: Tensor, size: int, gamma: Tensor) -> Self:
        """Empty memories of ``size`` pairs each, for vectors such as those of ``like``, ``(N, ...)``."""
        s = like.new_zeros(len(like), size, like[:1].numel())
        return cls(s, s, s[..., 0], gamma)

    def push(self, rows: Tensor, step: Tensor, change: Tensor) -> Self:
        """With one more pair, in the ``(N,)`` rows that take one and where the curvature is positive."""
        s, y = step.flatten(1), change.flatten(1)
        along = (s * y).sum(1)
        rows = rows & (along > 1e-10 * (s.norm(dim=1) * y.norm(dim=1)))
        rho = along.reciprocal()
        gamma = torch.where(rows, along / (y * y).sum(1), self.gamma)

        def pushed(memory: Tensor, new: Tensor) -> Tensor:
            shifted = torch.cat([memory[:, 1:], new[:, None]], 1)
            return torch.where(rows.view(-1, *(1,) * new.ndim), shifted, memory)

        return type(self)(pushed(self.s, s), pushed(self.y, y), pushed(self.rho, rho), gamma)

    def times(self, gradient: Tensor) -> Tensor:
        """``H`` times a vector for each sample, by the two loops."""
        q = gradient.flatten(1)
        pairs = list(zip(self.s.unbind(1), self.y.unbind(1), self.rho.T, strict=True))
        shares = []
        for s, y, rho in reversed(pairs):
            shares.append((rho * (s * q).sum(1))[:, None])
            q = q - shares[-1] * y
        q = self.gamma[:, None] * q
        for (s, y, rho), share in zip(pairs, reversed(shares), strict=True):
            q = q + (share - (rho * (y * q).sum(1))[:, None]) * s
        return q.view_as(gradient)
