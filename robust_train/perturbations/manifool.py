"""Descent of the margin on a group of transformations."""

from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from robust_train.attacking.best import Best
from robust_train.attacking.dropping import Standing
from robust_train.attacking.gradients import input_gradient
from robust_train.attacking.in_turn import first_reached
from robust_train.checks import check_positive
from robust_train.norms import norm
from robust_train.perturbations.base import unmeasured
from robust_train.perturbations.transformed import Transformed
from robust_train.randomness import Streams
from robust_train.transforms import Affine, Transform
from robust_train.types import Goal, Network, Perturbed

_DIFFERENCE = 0.01  # of a parameter, in its unit: images are piecewise linear between pixels
_DAMPING = 1e-4  # share of the metric's diagonal that is added, for directions that move nothing
_RAY = 10  # points of a ray at which the label is asked before bisection
_REACH = 1.2  # how far the ray goes on behind its point


@dataclass(frozen=True, kw_only=True)
class ManiFool(Transformed):
    r"""Walk to the boundary along the transformed images, each step the steepest in their own metric.

    .. math:: \theta \leftarrow \theta - \frac{m}{g^\top G^{-1} g}\, G^{-1} g, \qquad
        g = J^\top \nabla m, \qquad G = J^\top J, \qquad J = \partial_\theta T_\theta(x)

    with m the margin. The step lands where the margin, linearised, is zero; its length in the
    metric G is capped, as the original's steps are. Then the ray from the identity is searched for
    its first crossing, and refined: each refinement moves towards the point of the linearised
    boundary that is nearest to the identity, by a share of 1/2, 1/3, ..., and searches its ray.

    Sizes are lengths of the curve :math:`t \mapsto T_{t\theta}(x)`, of a one-parameter group where
    the family is exponential: an upper bound of the geodesic distance, which the pose alone tells.

    Args:
        transform: The family of transformations.
        steps: Largest number of steps of a walk, each a pass forward and back.
        restarts: Walks more, from other poses; of what all of them find, the shortest counts.
        step_size: Longest step, as a share of the l2 norm of the image.
        overshoot: Share by which a step is lengthened.
        refinements: Rays of a walk after the first, each a pass back and some twenty forward.
        bisections: Halvings of a ray's first crossing.
        segments: Chords that the length of a curve is the sum of.

    References:
        Geometric robustness of deep networks: analysis and improvement (Kanbak, Moosavi-Dezfooli
        and Frossard, 2018)

    Example:
        >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 2))
        >>> found = ManiFool(refinements=1)(network, torch.rand(3, 1, 8, 8), torch.tensor([0, 1, 0]))
        >>> found.parameters.shape
        torch.Size([3, 6])
    """

    transform: Transform = field(default_factory=Affine)
    steps: int = 20
    restarts: int = 5
    step_size: float = 0.1
    overshoot: float = 0.02
    refinements: int = 5
    bisections: int = 8
    segments: int = 16
    minimal: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_positive(self, "steps", "step_size", "segments")
        check_positive(self, "restarts", "overshoot", "refinements", "bisections", zero=True)

    @property
    def norm(self) -> str:
        return "geodesic"

    def length(self, inputs: Tensor, parameters: Tensor) -> Tensor:
        total, before = torch.zeros_like(parameters[:, 0]), inputs.double()
        for k in range(1, self.segments + 1):
            y = self.apply(inputs, self._scale(inputs, parameters, k / self.segments)).double()
            total, before = total + norm(y - before, "l2"), y
        return total

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        best = Best(self.transform.neutral(inputs))
        for restart in range(self.restarts + 1):
            crossed = self._walk(network, inputs, goal, self._start(inputs, rng, restart))
            rows = crossed.isfinite().all(1).nonzero().squeeze(1)
            if len(rows):
                run = Best(crossed[rows])
                self._refine(network, inputs[rows], goal.take(rows), crossed[rows], run)
                best.update(rows, run.inputs, run.score)
        size = unmeasured(inputs).masked_fill(~best.score.isfinite(), torch.inf)
        return Perturbed(self.apply(inputs, best.inputs), size, best.inputs)

    def _start(self, inputs: Tensor, rng: Streams, restart: int) -> Tensor:
        """The identity, then poses in random directions, each two steps further out in the metric."""
        theta = self.transform.neutral(inputs)
        if not restart:
            return theta
        direction = rng.fold(restart).normal((theta.shape[1],), theta)
        # An image that is not finite has no root, and does not keep the others from theirs.
        root = torch.linalg.cholesky_ex(self._metric(self._jacobian(inputs, theta))).L
        radius = 2 * restart * self.step_size * norm(inputs, "l2").double() / direction.norm(dim=1)
        step = torch.linalg.solve_triangular(root.mT, direction[..., None], upper=True)
        start: Tensor = theta + radius[:, None] * step.squeeze(2)
        return start

    def _walk(self, network: Network, inputs: Tensor, goal: Goal, theta: Tensor) -> Tensor:
        """``(N, P)`` the first parameters behind the boundary; NaN where none were reached."""
        standing = Standing(len(inputs), inputs.device)
        crossed, longest = torch.full_like(theta, torch.nan), self.step_size * norm(inputs, "l2").double()
        for _ in range(self.steps + 1):
            at = self._linearise(network, inputs, goal, theta)
            done = at.margin < 0
            new = done & crossed[standing.rows].isnan().any(1)
            crossed[standing.rows[new]] = theta[new]
            length = (1 + self.overshoot) * at.margin.clamp_min(0) / at.slope
            theta = theta - (length.minimum(longest) / at.slope)[:, None] * at.ascent
            inputs, goal, theta, longest = standing.drop(done, inputs, goal, theta, longest)
            if not len(inputs):
                break
        return crossed

    def _refine(self, network: Network, inputs: Tensor, goal: Goal, theta: Tensor, best: Best) -> None:
        identity, rows = self.transform.neutral(inputs), torch.arange(len(inputs), device=inputs.device)
        best.update(rows, theta, -self.length(inputs, theta))  # the ray may step over what is narrow
        for k in range(self.refinements + 1):
            if k:
                theta = best.inputs
                at = self._linearise(network, inputs, goal, theta)
                along = ((theta - identity) * at.gradient).sum(1) - at.margin
                nearest = identity + (along / at.slope.square())[:, None] * at.ascent
                theta = theta + (nearest - theta) / (k + 1)
            theta, reached = self._first_on_ray(network, inputs, goal, theta)
            length = self.length(inputs, theta).masked_fill(~reached, torch.inf)
            best.update(rows, theta, -length)

    def _first_on_ray(
        self, network: Network, inputs: Tensor, goal: Goal, theta: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The first parameters on the ray to ``theta`` that reach the goal, and whether there are any."""

        def images(rows: Tensor, places: Tensor) -> Tensor:
            several = rows.repeat_interleave(places.shape[1])
            share = (places.flatten()[:, None] + 1) * (_REACH / _RAY)
            return self.apply(inputs[several], self._scale(inputs[several], theta[several], share))

        place, margin = first_reached(network, goal, _RAY, images)
        low, high = place[:, None] * (_REACH / _RAY), (place[:, None] + 1) * (_REACH / _RAY)
        for _ in range(self.bisections):
            middle = (low + high) / 2
            with torch.no_grad():
                y = self.apply(inputs, self._scale(inputs, theta, middle))
                reached = goal.reached(network(y))[:, None]
            low, high = torch.where(reached, low, middle), torch.where(reached, middle, high)
        return self._scale(inputs, theta, high), margin < 0

    def _linearise(self, network: Network, inputs: Tensor, goal: Goal, theta: Tensor) -> "_Linear":
        _, margin, gradient = input_gradient(network, self.apply(inputs, theta), goal.margin)
        jacobian = self._jacobian(inputs, theta)
        g = (jacobian * gradient.double().flatten(1)[:, None]).sum(2)
        ascent = torch.linalg.solve(self._metric(jacobian), g)
        slope = (g * ascent).sum(1).clamp_min(1e-30).sqrt()
        return _Linear(margin.double(), g, ascent, slope)

    def _metric(self, jacobian: Tensor) -> Tensor:
        """``(N, P, P)`` inner products of the changes of the image, positive definite."""
        metric = jacobian @ jacobian.mT
        scale = metric.diagonal(dim1=1, dim2=2)
        least = _DAMPING**2 * scale.amax(1, keepdim=True) + 1e-12
        return metric + (_DAMPING * scale + least).diag_embed()

    def _jacobian(self, inputs: Tensor, theta: Tensor) -> Tensor:
        """``(N, P, D)`` change of the image with each parameter, by central differences."""
        step = _DIFFERENCE * torch.eye(theta.shape[1]).to(theta)
        change = [self.apply(inputs, theta + h) - self.apply(inputs, theta - h) for h in step]
        return torch.stack(change, 1).double().flatten(2) / (2 * _DIFFERENCE)

    def _scale(self, inputs: Tensor, theta: Tensor, share: Tensor | float) -> Tensor:
        """The parameters at this share of the way from the identity."""
        identity = self.transform.neutral(inputs)
        return identity + share * (theta - identity)


class _Linear(NamedTuple):
    """The margin, its gradient g in the parameters, ``G^-1 g``, and the length of g in the metric."""

    margin: Tensor
    gradient: Tensor
    ascent: Tensor
    slope: Tensor
