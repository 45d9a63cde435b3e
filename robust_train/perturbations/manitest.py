"""The geodesic distance to the nearest transformed image of another label."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from math import gcd, prod
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from robust_train.attacking.in_turn import first_reached
from robust_train.checks import check_positive
from robust_train.norms import norm
from robust_train.perturbations.base import unmeasured
from robust_train.perturbations.transformed import Transformed, check_limits
from robust_train.randomness import Streams
from robust_train.transforms import Rigid, Transform
from robust_train.types import Goal, Network, Perturbed

_NUMBERS = 2**25  # of the images of a lattice that are held at once: samples go in blocks
_Nodes = tuple[slice, ...]
_ROUNDING = 1e-4  # relative and absolute, by which a length may fall short of the chord


@dataclass(frozen=True, kw_only=True)
class Manitest(Transformed):
    r"""Smallest transformation that changes the label, by geodesic distance among transformed images.

    .. math:: \min_\theta d(id, \theta) \quad \text{subject to} \quad f(T_\theta(x)) \neq f(x), \qquad
        d(a, b) = \inf_{\gamma(0) = a, \gamma(1) = b}
        \int_0^1 \Big\| \tfrac{d}{dt} T_{\gamma(t)}(x) \Big\|_2 dt

    Shortest paths on a lattice of parameters take the place of fast marching, whose usual stencil
    is wrong where the metric is anisotropic. A step joins a node to every node up to ``radius``
    away and costs the distance of the two images by way of its middle, the mean of the images of the two
    nodes around that, so that no derivative is needed. Paths are then too long by a share of
    ``radius ** -2`` and each step too short by its curvature: with a radius that grows as the root of the
    lattice, both vanish as the lattice is refined. Nodes are judged
    by distance until the first changes the label. The step to it is bisected, and so are those to other nodes
    that do, as long as they start nearer than the shortest path so far ends.

    The last column of the parameters is the length of the path, which the pose alone does not tell.

    Args:
        transform: The family of transformations, of 1 to 4 parameters or so.
        limits: Largest change of each parameter that is tried, in its unit.
        grid: Number of nodes along each parameter, from limit to limit: odd.
        radius: Radius of the steps, in nodes; by default the root of half the longest side of the lattice.
        bisections: Halvings of the last step, each a forward pass.

    Raises:
        ValueError: There is not one limit, or not one odd number of nodes, for each parameter.

    References:
        Manitest: are classifiers really invariant? (Fawzi and Frossard, 2015)

    Example:
        >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 2))
        >>> found = Manitest(grid=(5, 5, 5))(network, torch.rand(3, 1, 8, 8), torch.tensor([0, 1, 0]))
        >>> found.parameters.shape
        torch.Size([3, 4])
    """

    transform: Transform = field(default_factory=Rigid)
    limits: tuple[float, ...] = (30.0, 3.0, 3.0)
    grid: tuple[int, ...] = (13, 7, 7)
    radius: int | None = None
    bisections: int = 8
    minimal: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_positive(self, "radius")
        check_positive(self, "bisections", zero=True)
        check_limits(self, self.transform, self.limits)
        names = self.transform.names
        if len(self.grid) != len(names) or not all(count > 0 and count % 2 for count in self.grid):
            raise ValueError(
                f"Manitest: grid must be an odd number of nodes for each of {', '.join(names)}, "
                f"not {self.grid}."
            )

    @property
    def norm(self) -> str:
        return "geodesic"

    def length(self, inputs: Tensor, parameters: Tensor) -> Tensor:
        claimed = parameters[:, -1]
        chord = self._chord(inputs, self.apply(inputs, parameters))
        return claimed.masked_fill(chord > claimed * (1 + _ROUNDING) + _ROUNDING, torch.inf)

    def distances(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """The geodesic distance of every node, ``(N, *grid)``, and the node before it on the path."""
        lattice = self._lattice(inputs)
        height = max(1, _NUMBERS // max(1, len(lattice) * inputs[:1].numel()))
        found = [self._shortest(block, lattice) for block in torch.split(inputs, height)]
        return torch.cat([u for u, _ in found]), torch.cat([parent for _, parent in found])

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        lattice, every = self._lattice(inputs), torch.arange(len(inputs), device=inputs.device)
        u, parent = (values.flatten(1) for values in self.distances(inputs))
        order = u.argsort(dim=1, stable=True)

        def images(rows: Tensor, places: Tensor) -> Tensor:
            theta = lattice[order[rows[:, None], places]].flatten(0, 1)
            return self.apply(inputs[rows].repeat_interleave(places.shape[1], 0), theta)

        place, margin = first_reached(network, goal, len(lattice), images)
        reached = (margin < 0).nonzero().squeeze(1)
        first = order[every, place]
        theta, length = self._across(network, inputs, goal, _Paths(lattice, u, parent), first, reached)
        size = unmeasured(inputs).masked_fill(~(margin < 0), torch.inf)
        return Perturbed(self.apply(inputs, theta), size, torch.cat([theta, length[:, None]], 1))

    def _across(
        self, network: Network, inputs: Tensor, goal: Goal, paths: "_Paths", first: Tensor, rows: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Poses at the boundary and the lengths of the paths there: the shortest that step across it."""
        lattice, u, parent = paths
        theta, length = lattice[first], torch.full_like(u[:, 0], torch.inf)
        # How far out each last step starts: none that starts behind the end of a path leads to a shorter one.
        start = u.gather(1, parent).masked_fill(u < u.gather(1, first[:, None]), torch.inf)
        turns = start.scatter(1, first[:, None], -torch.inf).argsort(dim=1, stable=True)
        for turn in turns.T:
            rows = rows[start[rows, turn[rows]] < length[rows]]
            if not len(rows):
                break
            with torch.no_grad():
                y = self.apply(inputs[rows], lattice[turn[rows]])
                behind = rows[goal.take(rows).reached(network(y))]
            if not len(behind):
                continue
            x, node = inputs[behind], lattice[parent[behind, turn[behind]]]
            found = self._bisect(network, x, goal.take(behind), node, lattice[turn[behind]])
            on_the_way = (self.apply(x, pose).flatten(1) for pose in (node, (node + found) / 2, found))
            total = start[behind, turn[behind]] + _length(*on_the_way)
            better = total < length[behind]
            theta[behind[better]], length[behind[better]] = found[better], total[better]
        return theta, length

    def _bisect(self, network: Network, inputs: Tensor, goal: Goal, a: Tensor, b: Tensor) -> Tensor:
        """The nearest pose to ``a`` on the way to ``b`` that reaches the goal."""
        low, high = torch.zeros_like(a[:, :1]), torch.ones_like(a[:, :1])
        for _ in range(self.bisections):
            middle = (low + high) / 2
            with torch.no_grad():
                reached = goal.reached(network(self.apply(inputs, a + middle * (b - a))))[:, None]
            low, high = torch.where(reached, low, middle), torch.where(reached, middle, high)
        return a + high * (b - a)

    def _shortest(self, inputs: Tensor, lattice: Tensor) -> tuple[Tensor, Tensor]:
        """Bellman and Ford's iteration: every step in turn, until no path becomes shorter."""
        count, nodes = len(inputs), len(lattice)
        y = self.apply(inputs.repeat_interleave(nodes, 0), lattice.repeat(count, 1))
        y = y.view(count, *self.grid, -1)
        index = torch.arange(nodes, device=inputs.device).view(1, *self.grid)
        steps = [(a, b, _length(y[a], (y[c] + y[d]) / 2, y[b])) for a, c, d, b in self._steps()]
        parent = index.repeat(count, *(1 for _ in self.grid))
        u = torch.full_like(parent, torch.inf, dtype=torch.float64)
        u.flatten(1)[:, nodes // 2] = 0
        shorter = True
        while shorter:
            before = u.clone()
            for a, b, length in steps:
                for start, end in ((a, b), (b, a)):
                    through = u[start] + length
                    parent[end] = torch.where(through < u[end], index[start], parent[end])
                    u[end] = torch.minimum(through, u[end])
            shorter = bool((u < before).any())
        return u, parent

    def _steps(self) -> Iterator[tuple[_Nodes, _Nodes, _Nodes, _Nodes]]:
        """The nodes where each step starts, the two around its middle and that of its end.

        No step is a multiple of another.
        """
        radius = self.radius or max(1, round((max(self.grid) / 2) ** 0.5))
        for step in product(range(-radius, radius + 1), repeat=len(self.grid)):
            if gcd(*step) == 1 and step > (0,) * len(step):
                half = tuple(int(s / 2) for s in step)
                rest = tuple(s - h for s, h in zip(step, half, strict=True))
                way = (0,) * len(step), half, rest, step
                a, c, d, b = (self._from(step, part) for part in way)
                yield a, c, d, b

    def _from(self, step: tuple[int, ...], way: tuple[int, ...]) -> _Nodes:
        """The nodes from which a step stays on the lattice, a part of the way on."""
        first = [max(0, -s) + w for s, w in zip(step, way, strict=True)]
        counts = [max(0, n - abs(s)) for s, n in zip(step, self.grid, strict=True)]
        return slice(None), *(slice(i, i + count) for i, count in zip(first, counts, strict=True))

    def _lattice(self, inputs: Tensor) -> Tensor:
        """``(M, P)`` the nodes; the identity is the one in the middle."""
        identity = self.transform.neutral(inputs[:1])
        axes = [torch.arange(-(n // 2), n // 2 + 1).double() / max(1, n // 2) for n in self.grid]
        share = torch.cartesian_prod(*axes).view(prod(self.grid), -1).to(identity)
        return identity + share * identity.new_tensor(self.limits)

    def _chord(self, a: Tensor, b: Tensor) -> Tensor:
        return norm(b.double() - a.double(), "l2")


class _Paths(NamedTuple):
    """``(M, P)`` the nodes, and for each image their distances, ``(N, M)``, and the nodes before them."""

    lattice: Tensor
    u: Tensor
    parent: Tensor


def _length(start: Tensor, middle: Tensor, end: Tensor) -> Tensor:
    """Of a step by way of its middle: the chord of a long one is much too short."""
    length: Tensor = (middle - start).norm(dim=-1) + (end - middle).norm(dim=-1)
    return length.double()
