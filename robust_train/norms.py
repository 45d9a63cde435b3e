r"""Geometry of the lp balls: norms, duals, steepest directions, projections and samples.

Everything is per sample: the first axis counts samples and is never mixed.
"""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from robust_train.randomness import Streams
from robust_train.types import Bounds, Norm, Rows

DUAL: dict[Norm, Norm] = {"linf": "l1", "l2": "l2", "l1": "linf"}
"""The norm q with 1/p + 1/q = 1; the largest value of w on the unit p ball is its q norm."""

_ORDER = {"linf": float("inf"), "l2": 2.0, "l1": 1.0}
_L1_SHARE = 0.01  # an l1 step is shared by the steepest 1 % of the coordinates
_ROUNDS = 3  # of the l2 projection: each finds the coordinates that its predecessor pushed out


def norm(r: Tensor, p: Norm) -> Tensor:
    r"""Norm of each sample, :math:`\|r_i\|_p`: ``(N, ...)`` to ``(N,)``.

    Example:
        >>> norm(torch.tensor([[3.0, -4.0]]), "l2")
        tensor([5.])
    """
    sizes: Tensor = torch.linalg.vector_norm(r.flatten(1), _ORDER[p], dim=1)
    return sizes


def unsqueeze_like(values: Tensor, x: Tensor) -> Tensor:
    """``(N,)`` values shaped to broadcast over the samples of ``x``.

    Example:
        >>> unsqueeze_like(torch.zeros(2), torch.zeros(2, 3, 4)).shape
        torch.Size([2, 1, 1])
    """
    return values.reshape(-1, *(1,) * (x.ndim - 1))


def steepest(gradient: Tensor, p: Norm) -> Tensor:
    r"""The direction of unit p norm in which a linear form grows most.

    .. math:: \arg\max_{\|d\|_p \le 1} \langle d, g \rangle

    In l1, where that is a single coordinate, the step is shared by the steepest hundredth of
    the coordinates. Zero gradients give zero directions.

    References:
        Adversarial training and robustness for multiple perturbations (Tramer and Boneh, 2019)

    Example:
        >>> steepest(torch.tensor([[3.0, -4.0]]), "l2")
        tensor([[ 0.6000, -0.8000]])
    """
    if p == "linf":
        return gradient.sign()
    if p == "l2":
        # Scaled first: the square of a tiny gradient underflows.
        tiny = torch.finfo(gradient.dtype).tiny
        gradient = gradient / unsqueeze_like(norm(gradient, "linf"), gradient).clamp_min(tiny)
        return gradient / unsqueeze_like(norm(gradient, "l2"), gradient).clamp_min(tiny)
    flat = gradient.flatten(1)
    share = max(1, round(_L1_SHARE * flat.shape[1]))
    top = flat.abs().topk(share, dim=1).indices
    direction = torch.zeros_like(flat).scatter_(1, top, flat.gather(1, top).sign() / share)
    return direction.view_as(gradient)


def uniform_in_ball(streams: Streams, like: Tensor, p: Norm) -> Tensor:
    """One point for each sample, uniform in the unit p ball of the shape of ``like[0]``.

    References:
        A probabilistic approach to the geometry of the lp ball (Barthe et al., 2005)
    """
    shape = tuple(like.shape[1:])
    if p == "linf":
        return 2 * streams.uniform(shape, like) - 1
    radius = streams.fold(1).uniform((), like)
    if p == "l2":
        gaussian = streams.normal(shape, like)
        scale = radius ** (1 / max(1, like[:1].numel())) / norm(gaussian, "l2")
        return unsqueeze_like(scale, like) * gaussian
    magnitude = -torch.log1p(-streams.uniform(shape, like))
    sign = streams.fold(2).uniform(shape, like).sub_(0.5).sign_()
    rest = -torch.log1p(-radius)
    return sign * magnitude / unsqueeze_like(norm(magnitude, "l1") + rest, like)


@dataclass(frozen=True, eq=False)
class Ball(Rows):
    r"""The admissible inputs of a batch: an lp ball around each center, cut by the box.

    .. math:: \{y : \|y - x\|_p \le \epsilon,\; l \le y \le u\}

    Args:
        center: ``(N, ...)`` the clean inputs, inside the box.
        p: The norm.
        eps: Radius, in the units of the inputs.
        low: Lower corner of the box around the set, rounded towards the center.
        high: Upper corner, likewise.

    Example:
        >>> ball = Ball.around(torch.tensor([[0.9, 0.5]]), "linf", 0.2, (0.0, 1.0))
        >>> ball.project(torch.tensor([[2.0, 0.4]]))
        tensor([[1.0000, 0.4000]])
    """

    center: Tensor
    p: Norm
    eps: float
    low: Tensor
    high: Tensor

    @classmethod
    def around(cls, center: Tensor, p: Norm, eps: float, bounds: Bounds) -> Self:
        """The ball of radius ``eps`` around each center, cut by ``bounds``."""
        low, high = bounds or (-float("inf"), float("inf"))
        # No coordinate of a point of any lp ball is further than eps from the center.
        below = shorten(center, torch.full_like(center, -eps, dtype=torch.float64)).clamp_min(low)
        above = shorten(center, torch.full_like(center, eps, dtype=torch.float64)).clamp_max(high)
        return cls(center, p, eps, below, above)

    def project(self, y: Tensor) -> Tensor:
        """The nearest point of the set, up to rounding, which ``confine`` takes care of."""
        if self.p == "linf":
            return torch.clamp(y, self.low, self.high)
        r = y - self.center
        project = _project_l2 if self.p == "l2" else _project_l1
        room = torch.where(r > 0, self.high - self.center, self.center - self.low)
        return self.center + r.sign() * project(r.abs(), room, self.eps)

    def sample(self, streams: Streams) -> Tensor:
        """A random point for each sample: uniform in the ball, then clipped to the box."""
        r = self.eps * uniform_in_ball(streams, self.center, self.p)
        return torch.clamp(self.center + r, self.low, self.high)

    def confine(self, y: Tensor) -> Tensor:
        """The points moved inside by a float64 check: no element ever leaves ball or box.

        Samples that are inside already are returned bit for bit.
        """
        y = torch.clamp(y, self.low, self.high)
        r = y.double() - self.center.double()
        size = norm(r, self.p)
        # The last digits make room for the rounding of the sum over the coordinates.
        shrink = self.eps * (1 - 1e-12) / size.clamp_min(self.eps or 1.0)
        inside = torch.clamp(shorten(self.center, unsqueeze_like(shrink, r) * r), self.low, self.high)
        return torch.where(unsqueeze_like(size <= self.eps, y), y, inside)


def shorten(center: Tensor, r: Tensor) -> Tensor:
    """``center + r`` in the precision of ``center``, each step rounded towards the center.

    Nearest rounding would leave up to 84 % of the pixels outside of a ball with that radius.
    """
    y = (center.double() + r).to(center.dtype)
    return torch.where((y.double() - center.double()).abs() > r.abs(), torch.nextafter(y, center), y)


def _project_l2(u: Tensor, room: Tensor, eps: float) -> Tensor:
    r"""Nearest point to ``u >= 0`` in the ball and below ``room``: :math:`\min(s u, c)`.

    The factor s grows from round to round as saturated coordinates leave budget to the others,
    so that every round stays inside the ball and few are needed.
    """
    scale = unsqueeze_like(eps / norm(u, "l2").clamp_min(1e-38), u).clamp_max(1)
    for _ in range(_ROUNDS):
        full = scale * u >= room
        left = eps**2 - room.where(full, 0).square().flatten(1).sum(1)
        grown = left.clamp_min(0).sqrt() / norm(u.masked_fill(full, 0), "l2").clamp_min(1e-38)
        scale = torch.maximum(scale, unsqueeze_like(grown, u).clamp_max(1))
    return torch.minimum(scale * u, room)


def _project_l1(u: Tensor, room: Tensor, eps: float) -> Tensor:
    r"""Nearest point to ``u >= 0`` in the ball and below ``room``: :math:`\min((u - t)_+, c)`.

    The threshold t is found by bisection; it is 0 where the clipped point is inside already.
    """

    def shrunk(t: Tensor) -> Tensor:
        return torch.minimum((u - unsqueeze_like(t, u)).clamp_min(0), room)

    low = torch.zeros_like(norm(u, "l1"))
    high = torch.where(norm(shrunk(low), "l1") > eps, norm(u, "linf"), low)
    for _ in range(40):
        middle = (low + high) / 2
        outside = norm(shrunk(middle), "l1") > eps
        low, high = torch.where(outside, middle, low), torch.where(outside, high, middle)
    return shrunk(high)
