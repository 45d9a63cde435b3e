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

_ORDER = {"linf": float("inf"), "l2": 2.0, "l1": 1.0, "l0": 0.0}
_L1_SHARE = 0.01  # an l1 step is shared by the steepest 1 % of the coordinates
_ROUNDS = 3  # of the l2 projection: each finds the coordinates that its predecessor pushed out


def norm(r: Tensor, p: Norm) -> Tensor:
    r"""Norm of each sample, :math:`\|r_i\|_p`: ``(N, ...)`` to ``(N,)``; l0 counts what is not zero.

    Example:
        >>> norm(torch.tensor([[3.0, -4.0]]), "l2")
        tensor([5.])
    """
    if p == "linf":
        return r.flatten(1).abs().amax(1)  # ten times as fast as the general form
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
        high: Upper corner of that box, rounded towards the center.

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
        center = self.center
        return center + project(y - center, self.low - center, self.high - center, self.p, self.eps)

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


def project(r: Tensor, low: Tensor, high: Tensor, p: Norm, eps: float | Tensor) -> Tensor:
    """Nearest point to ``r`` in the ball and the box ``low <= 0 <= high``; ``eps`` may be ``(N,)``."""
    if p == "linf":
        room = unsqueeze_like(torch.as_tensor(eps, dtype=r.dtype, device=r.device), r)
        return torch.clamp(r, torch.maximum(low, -room), torch.minimum(high, room))
    return (_project_l2 if p == "l2" else _project_l1)(r, low, high, eps)


def _project_l2(r: Tensor, low: Tensor, high: Tensor, eps: float | Tensor) -> Tensor:
    r"""Nearest point to ``r`` in the ball and the box ``low <= 0 <= high``: :math:`\mathrm{clip}(s r)`.

    The factor s grows from round to round as saturated coordinates leave budget to the others,
    so that every round stays inside the ball and few are needed.
    """
    scale = (eps / norm(r, "l2").clamp_min(1e-38)).clamp_max(1)
    for _ in range(_ROUNDS):
        scaled = unsqueeze_like(scale, r) * r
        clipped = torch.clamp(scaled, low, high)
        free = norm(torch.where(clipped == scaled, r, 0), "l2").clamp_min(1e-38)
        left = (eps**2 - norm(clipped, "l2").square()).clamp_min(0)
        scale = torch.hypot(scale, left.sqrt() / free).clamp_max(1)
    return torch.clamp(unsqueeze_like(scale, r) * r, low, high)


def _project_l1(r: Tensor, low: Tensor, high: Tensor, eps: float | Tensor) -> Tensor:
    r"""Nearest point to ``r`` in the ball and the box ``low <= 0 <= high``.

    With u the magnitudes and c the room that the box leaves them, it is :math:`\min((u - t)_+, c)`
    along the signs of r. The threshold t is found by bisection; it is 0 where the clipped point is
    inside already.
    """
    u, room = r.abs(), torch.where(r > 0, high, -low)

    def shrunk(t: Tensor) -> Tensor:
        return torch.minimum((u - unsqueeze_like(t, u)).clamp_min(0), room)

    least = torch.zeros_like(norm(u, "l1"))
    most = torch.where(norm(shrunk(least), "l1") > eps, norm(u, "linf"), least)
    for _ in range(40):
        middle = (least + most) / 2
        outside = norm(shrunk(middle), "l1") > eps
        least, most = torch.where(outside, middle, least), torch.where(outside, most, middle)
    return r.sign() * shrunk(most)
