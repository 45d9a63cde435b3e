"""A random search on the scores alone, by squares."""

from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor

from robust_train.attacking.best import Best
from robust_train.attacking.dropping import Standing
from robust_train.checks import check_positive
from robust_train.norms import Ball, norm, steepest, unsqueeze_like
from robust_train.perturbations.base import Budgeted, unmeasured
from robust_train.randomness import Streams
from robust_train.types import Goal, Network, Perturbed, Rows

_AHEAD = 256  # queries whose random numbers are drawn at once
_HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)  # of p, in queries out of 10,000


@dataclass(frozen=True, kw_only=True)
class Square(Budgeted):
    r"""Try random squares, keep what lowers the margin: a black box that gives scores is enough.

    In linf a query sets a square window of :math:`\sqrt{p H W}` pixels to :math:`x \pm \epsilon`, one sign
    for each channel, from vertical stripes on. In l2 it moves the norm that the perturbation has in one
    window into another, where it takes the shape of a pyramid, and spends what the ball leaves
    besides. The share p starts at ``p_init`` and is halved nine times.

    Samples leave once they are fooled. Inputs without rows and columns are one row of pixels. The
    network is not asked about a proposal that changes nothing: in linf, where small windows often fall
    on their own colour, that spares a third of the passes.

    Args:
        queries: Proposals for each sample, at most as many forward passes.
        p_init: Share of the pixels that the first windows cover.

    Raises:
        ValueError: The norm is l1, or a number has no meaning.

    References:
        Square attack: a query-efficient black-box adversarial attack via random search
        (Andriushchenko et al., 2020)

    Example:
        >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 3))
        >>> search = Square(eps=0.1, queries=20)
        >>> found = search(network, torch.full((2, 1, 4, 4), 0.5), torch.tensor([0, 1]))
        >>> bool((found.size <= 0.1).all())
        True
    """

    norm: Literal["linf", "l2"] = "linf"
    queries: int = 5000
    p_init: float = 0.8

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "queries", "p_init")

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        images = inputs.reshape(len(inputs), -1, *(1, *inputs.shape[1:])[-2:])
        ball, channels = self.ball(images), images.shape[1]
        best, standing = Best(images), Standing(len(images), images.device)

        def margin(x: Tensor, goal: Goal) -> Tensor:
            with torch.no_grad():
                margin = goal.margin(network(x.view(-1, *inputs.shape[1:])))
            # Where a logit is not finite, whatever has a margin is nearer.
            return margin.nan_to_num(torch.inf, torch.inf, -torch.inf)

        clean, start = margin(images, goal), ball.project(images + self._first(images, rng))
        state = _State(ball, goal, start, margin(start, goal))
        state = state.moved(clean < 0, images, clean)
        best.update(standing.rows, state.x, -state.margin)
        for k in range(1, self.queries):
            rng, state = standing.drop(state.margin < 0, rng, state)
            if not len(standing):
                break
            if k % _AHEAD == 1:
                block, first = rng.fold(k).uniform((_AHEAD, 5 + channels), images), standing.rows
            u = block[torch.searchsorted(first, standing.rows), (k - 1) % _AHEAD]
            x = self._candidate(state, u, self._share(k))
            new = (x != state.x).flatten(1).any(1).nonzero().squeeze(1)
            if not len(new):
                continue
            found = state.margin.index_copy(0, new, margin(x[new], state.goal.take(new)))
            # What is fooled already may stay in the batch for a while, and keeps what fools.
            state = state.moved(found < state.margin, x, found)
            best.update(standing.rows, state.x, -state.margin)
        return Perturbed(best.inputs.view_as(inputs), unmeasured(inputs))

    def _share(self, k: int) -> float:
        """Share of the pixels that the window of a query covers."""
        halvings = sum(10_000 * k / self.queries > halving for halving in _HALVINGS)
        return self.p_init * 0.5**halvings

    def _first(self, images: Tensor, rng: Streams) -> Tensor:
        """Vertical stripes, or in l2 a pyramid in every tile."""
        _, channels, height, width = images.shape
        if self.norm == "linf":
            return self.eps * _signs(rng.uniform((channels, 1, width), images))
        side = max(1, min(height, width) // 5)
        shape = (channels, -(-height // side), -(-width // side))
        signs = _signs(rng.uniform(shape, images)).repeat_interleave(side, 2).repeat_interleave(side, 3)
        tiles = _pyramids(side, images).repeat(shape[1], shape[2])
        r: Tensor = (signs * tiles)[:, :, :height, :width]
        return self.eps * r / unsqueeze_like(norm(r, "l2"), r)

    def _candidate(self, state: "_State", u: Tensor, share: float) -> Tensor:
        """What a query tries; ``u`` holds ``(N, 5 + C)`` uniform numbers."""
        height, width = state.x.shape[2:]
        side = max(1, round((share * height * width) ** 0.5))
        if self.norm == "l2":
            side = max(3, side + 1 - side % 2)  # odd, so that a pyramid has a top
        side = min(side, height, width)
        signs = _signs(u[:, 5:])[:, :, None, None]
        window = _Window.at(u[:, 0], u[:, 1], side, height, width)
        if self.norm == "linf":
            y = torch.where(window.mask, state.ball.center + self.eps * signs, state.x)
            return state.ball.project(y)
        other = _Window.at(u[:, 2], u[:, 3], side, height, width)
        shape = signs * window.filled(_pyramids(side, state.x), transposed=u[:, 4] < 0.5)
        return state.ball.project(state.ball.center + self._moved(state, window, other, shape))

    def _moved(self, state: "_State", window: "_Window", other: "_Window", shape: Tensor) -> Tensor:
        """The perturbation with the norm of both windows, and what the ball leaves, in the first."""
        r = state.x - state.ball.center
        old = r * window.mask
        new = shape + old / _length(old).clamp_min(1e-12)
        left = (self.eps**2 - norm(r, "l2").square()).clamp_min(0)[:, None, None, None] / r.shape[1]
        budget = (left + _length(r * (window.mask | other.mask)).square()).sqrt()
        moved: Tensor = torch.where(
            window.mask, budget * new / _length(new).clamp_min(1e-12), r * ~other.mask
        )
        return self.eps * moved / unsqueeze_like(norm(moved, "l2").clamp_min(1e-12), moved)


def _signs(u: Tensor) -> Tensor:
    return 1 - 2 * (u < 0.5).to(u)


def _length(r: Tensor) -> Tensor:
    """``(N, C, 1, 1)`` Euclidean norm of each channel."""
    return norm(r.flatten(0, 1), "l2").view(*r.shape[:2], 1, 1)


def _pyramids(side: int, like: Tensor) -> Tensor:
    """``(side, side)`` of unit norm: one pyramid in the upper half and its negative in the lower."""
    upper = _pyramid(side // 2, side) if side > 1 else torch.zeros(0, side)
    r = torch.cat([upper, -_pyramid(side - side // 2, side)])
    return steepest(r[None], "l2")[0].to(like)


def _pyramid(height: int, width: int) -> Tensor:
    """Falls from the centre as the tail of the sum of 1 / k^2 in the ring number."""
    ring = torch.maximum(
        (torch.arange(height) - height // 2).abs()[:, None], (torch.arange(width) - width // 2).abs()
    )
    terms: Tensor = 1 / torch.arange(1, int(ring.max()) + 2).double().square()
    r = terms.flip(0).cumsum(0).flip(0)[ring]
    return steepest(r[None], "l2")[0]


@dataclass(frozen=True, eq=False)
class _State(Rows):
    """The best point of each row so far, and its margin."""

    ball: Ball
    goal: Goal
    x: Tensor
    margin: Tensor

    def moved(self, rows: Tensor, x: Tensor, margin: Tensor) -> "_State":
        """Elsewhere in some rows."""
        x = torch.where(unsqueeze_like(rows, x), x, self.x)
        return _State(self.ball, self.goal, x, torch.where(rows, margin, self.margin))


@dataclass(frozen=True, eq=False)
class _Window:
    """A square of pixels in each image.

    Args:
        down: ``(N, H)`` rows counted from the upper edge of the window.
        across: ``(N, W)`` columns counted from its left edge.
        side: Of the window.
    """

    down: Tensor
    across: Tensor
    side: int

    @classmethod
    def at(cls, u: Tensor, v: Tensor, side: int, height: int, width: int) -> Self:
        """At a place that two uniform numbers choose."""
        top, left = (u * (height - side + 1)).floor(), (v * (width - side + 1)).floor()
        rows, columns = torch.arange(height, device=u.device), torch.arange(width, device=u.device)
        return cls((rows - top[:, None]).long(), (columns - left[:, None]).long(), side)

    @property
    def mask(self) -> Tensor:
        """``(N, 1, H, W)`` whether a pixel is inside."""
        rows, columns = ((k >= 0) & (k < self.side) for k in (self.down, self.across))
        return (rows[:, :, None] & columns[:, None])[:, None]

    def filled(self, pattern: Tensor, transposed: Tensor) -> Tensor:
        """``(N, 1, H, W)`` with a ``(side, side)`` pattern inside, in some rows transposed, else 0."""
        patterns = torch.where(transposed[:, None, None], pattern.T, pattern)
        rows, columns = (k.clamp(0, self.side - 1) for k in (self.down, self.across))
        sample = torch.arange(len(rows), device=rows.device)[:, None, None]
        return patterns[sample, rows[:, :, None], columns[:, None]][:, None] * self.mask
