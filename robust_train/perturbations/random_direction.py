"""The smallest perturbation along one random direction."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from robust_train.attacking.best import Best
from robust_train.attacking.line_search import bisect, bracket
from robust_train.checks import check_positive
from robust_train.norms import norm, unsqueeze_like
from robust_train.perturbations.base import Minimal, unmeasured
from robust_train.randomness import Streams
from robust_train.types import Bounds, Goal, Network, Norm, Perturbed, Rows


@dataclass(frozen=True, kw_only=True)
class RandomDirection(Minimal):
    r"""Smallest change along a line in a random direction, to both sides.

    .. math:: \min |\alpha| \quad \text{subject to} \quad f(x + \alpha v) \neq f(x),
        \qquad v \sim \mathcal{U}(S^{d-1})

    The size grows geometrically until the label changes on one side, then the bracket is bisected.
    Labels need not change monotonically along a line: a region thinner than ``growth`` tells
    apart can be stepped over. The image space is unbounded by default: inside the box most
    random directions cannot move at all.

    A direction of Gaussian components is uniform on the sphere, so that this is the size of Gaussian
    noise too; with uniform components it is that of uniform noise.

    Args:
        norm: Norm in which sizes are reported; the direction has unit l2 norm.
        components: The law of the components of the direction.
        smallest: First size that is tried.
        largest: l2 length at which the search gives up: the sample is then censored. What is found close
            below can end a little beyond, by the overshoot, and by up to 3 % where only that takes it across
            by more than rounding.
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
    components: Literal["gaussian", "uniform"] = "gaussian"
    smallest: float = 0.01
    largest: float = 1000.0
    growth: float = 1.25
    bisections: int = 16
    overshoot: float = 1e-4

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "smallest", "largest", "bisections")
        check_positive(self, "overshoot", zero=True)
        if not self.growth > 1:
            raise ValueError(f"RandomDirection: growth must be more than 1, not {self.growth}.")

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        # Both sides of each line stand in one batch: rows i and i + N.
        both = torch.arange(len(inputs), device=inputs.device).repeat(2)
        v = self._direction(inputs, rng)
        lines = _Lines(network, self.bounds, inputs[both], torch.cat([v, -v]), goal.take(both))
        low, high = bracket(lines, both, self._sizes())
        rows = high.isfinite().nonzero().squeeze(1)
        crossing, best = lines.take(rows), Best(inputs[both])
        alpha = bisect(crossing, low[rows], high[rows], self.bisections)
        best.update(rows, crossing.point((1 + self.overshoot) * alpha), -alpha)
        side = best.score.view(2, -1).argmax(0)
        return Perturbed(best.inputs[side * len(inputs) + both[: len(inputs)]], unmeasured(inputs))

    def _direction(self, inputs: Tensor, rng: Streams) -> Tensor:
        shape = tuple(inputs.shape[1:])
        v = 2 * rng.uniform(shape, inputs) - 1 if self.components == "uniform" else rng.normal(shape, inputs)
        return v / unsqueeze_like(norm(v, "l2"), v)

    def _sizes(self) -> Iterator[float]:
        size = self.smallest
        while size < self.largest:
            yield size
            size *= self.growth
        yield self.largest


@dataclass(frozen=True, eq=False)
class _Lines(Rows):
    """Half-lines from the inputs, and the goal on each."""

    network: Network
    bounds: Bounds
    origin: Tensor
    direction: Tensor
    goal: Goal

    def __len__(self) -> int:
        return len(self.origin)

    def point(self, alpha: Tensor) -> Tensor:
        """The images at these distances."""
        x = self.origin + unsqueeze_like(alpha.to(self.origin), self.origin) * self.direction
        return x if self.bounds is None else x.clamp(*self.bounds)

    def changed(self, size: Tensor) -> Tensor:
        with torch.no_grad():
            return self.goal.reached(self.network(self.point(size)))
