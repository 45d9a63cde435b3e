"""The smallest perturbation along one random direction."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robust_train.attacking.best import Best
from robust_train.attacking.dropping import Standing
from robust_train.norms import norm, unsqueeze_like
from robust_train.perturbations.base import Minimal, check_positive, unmeasured
from robust_train.randomness import Streams
from robust_train.types import Bounds, Goal, Network, Norm, Perturbed, Rows


@dataclass(frozen=True, kw_only=True)
class RandomDirection(Minimal):
    r"""Smallest change along a line whose direction is uniform on the sphere, to both sides.

    .. math:: \min |\alpha| \quad \text{subject to} \quad f(x + \alpha v) \neq f(x),
        \qquad v \sim \mathcal{U}(S^{d-1})

    The size grows geometrically until the label changes on one side, then the bracket is bisected.
    Labels need not change monotonically along a line: a region thinner than ``growth`` tells
    apart can be stepped over. The image space is unbounded by default: inside the box most
    random directions cannot move at all.

    Args:
        norm: In which sizes are reported; the direction has unit l2 norm.
        smallest: First size that is tried.
        largest: Where the search gives up: the sample is then censored.
        growth: Ratio of successive sizes.
        bisections: Halvings of the bracket, each a forward pass.
        overshoot: Share by which the size found is lengthened, so that rounding cannot undo it.

    References:
        Robustness of classifiers: from adversarial to random noise (Fawzi, Moosavi-Dezfooli and
        Frossard, 2016)

    Example:
        >>> network = torch.nn.Linear(8, 2)
        >>> found = RandomDirection()(network, torch.rand(3, 8), torch.tensor([0, 1, 0]))
        >>> found.size.shape
        torch.Size([3])
    """

    bounds: Bounds = None
    norm: Norm = "l2"
    smallest: float = 0.01
    largest: float = 1000.0
    growth: float = 1.25
    bisections: int = 16
    overshoot: float = 1e-4

    def __post_init__(self) -> None:
        check_positive(self, "smallest", "largest", "bisections")
        check_positive(self, "overshoot", zero=True)
        if not self.growth > 1:
            raise ValueError(f"RandomDirection: growth must be more than 1, not {self.growth}.")

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        # Both sides of each line stand in one batch: rows i and i + N.
        both = torch.arange(len(inputs), device=inputs.device).repeat(2)
        v = rng.normal(tuple(inputs.shape[1:]), inputs)
        v = torch.cat([v, -v]) / unsqueeze_like(norm(v, "l2"), v)[both]
        lines = _Lines(inputs[both], v, goal.take(both))
        best = Best(lines.origin)
        low, high = self._bracket(network, lines, both)
        rows = high.isfinite().nonzero().squeeze(1)
        alpha = self._bisect(network, lines.take(rows), low[rows], high[rows])
        best.update(rows, self._point(lines.take(rows), (1 + self.overshoot) * alpha), -alpha)
        side = best.score.view(2, -1).argmax(0)
        return Perturbed(best.inputs[side * len(inputs) + both[: len(inputs)]], unmeasured(inputs))

    def _bracket(self, network: Network, lines: "_Lines", sample: Tensor) -> tuple[Tensor, Tensor]:
        """Largest size before and first size behind a change of label; inf where there is none."""
        low = lines.origin.new_zeros(len(sample))
        high = torch.full_like(low, torch.inf)
        standing, size = Standing(len(sample), sample.device), 0.0
        while len(standing) and size < self.largest:
            before, size = size, self.smallest if not size else min(size * self.growth, self.largest)
            changed = self._changed(network, lines, lines.origin.new_full((len(standing),), size))
            changed = standing.rows[changed & high[standing.rows].isinf()]
            low[changed], high[changed] = before, size
            # A change on one side ends the search on both.
            done = high.isfinite().view(2, -1).any(0)[sample]
            lines, sample = standing.drop(done, lines, sample)
        return low, high

    def _bisect(self, network: Network, lines: "_Lines", low: Tensor, high: Tensor) -> Tensor:
        for _ in range(self.bisections if len(low) else 0):
            middle = (low + high) / 2
            changed = self._changed(network, lines, middle)
            low, high = torch.where(changed, low, middle), torch.where(changed, middle, high)
        return high

    def _changed(self, network: Network, lines: "_Lines", alpha: Tensor) -> Tensor:
        with torch.no_grad():
            return lines.goal.reached(network(self._point(lines, alpha)))

    def _point(self, lines: "_Lines", alpha: Tensor) -> Tensor:
        x = lines.origin + unsqueeze_like(alpha, lines.origin) * lines.direction
        return x if self.bounds is None else x.clamp(*self.bounds)


@dataclass(frozen=True, eq=False)
class _Lines(Rows):
    """Half-lines from the inputs, and the goal on each."""

    origin: Tensor
    direction: Tensor
    goal: Goal
