"""SuperDeepFool: DeepFool whose detours are projected onto the normal of the boundary."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from robust_train.attacking.best import Best
from robust_train.attacking.dropping import Standing
from robust_train.attacking.segments import pull_back
from robust_train.checks import check_positive
from robust_train.norms import norm
from robust_train.perturbations.base import Minimal, unmeasured
from robust_train.perturbations.deepfool import DeepFool
from robust_train.perturbations.linearised import check_candidates, linearise, smallest_step
from robust_train.randomness import Streams
from robust_train.types import Goal, Network, Perturbed


@dataclass(frozen=True, kw_only=True)
class SuperDeepFool(Minimal):
    r"""Walks to the boundary and projects onto its normal there, until the projection crosses.

    With :math:`\tilde x` where DeepFool from x crosses, and w the normal of the boundary there,

    .. math:: x \leftarrow x + \frac{\langle \tilde x - x_0, w \rangle}{\|w\|_2^2}\, w

    from :math:`x = x_0` on. The nearest point that any walk or projection found behind the boundary and
    the one where the projections crossed are both bisected with the input; the nearer result counts.

    Departures from the paper: a projection after the first adds to the one before, as it might never
    cross otherwise, and what it adds too much is bisected away. Walks are refined as those of ``DeepFool``
    are, so that the normal is taken nearer to the input. Inside a box the projection is the smallest
    step that gains as much along w as the formula does, where the published one leaves the box.

    Args:
        steps: Projections at the most.
        walk: Steps of each walk at the most.
        overshoot: Share by which walks and projections are lengthened, so as to land behind the boundary.
        candidates: Classes that a step of a walk considers, the one to leave included, by descending
            logit.
        refinements: Steps of each walk after it crossed.
        bisections: Halvings, at the end, of the way from the input to what was found.

    Raises:
        ValueError: A hyper-parameter has no meaning, or the norm is not l2.

    References:
        Revisiting DeepFool: generalization and improvement (Abdollahpour et al., 2024)

    Example:
        >>> network = torch.nn.Linear(2, 2)
        >>> _ = network.weight.data.copy_(torch.eye(2)), network.bias.data.zero_()
        >>> found = SuperDeepFool()(network, torch.tensor([[0.8, 0.4]]), torch.tensor([0]))
        >>> round(found.size.item(), 3)  # 0.4 / sqrt(2)
        0.283
    """

    norm: Literal["l2"] = "l2"
    steps: int = 100
    walk: int = 100
    overshoot: float = 0.02
    candidates: int = 4
    refinements: int = 6
    bisections: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "steps", "walk")
        check_candidates(self)
        check_positive(self, "overshoot", "refinements", "bisections", zero=True)

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        best, nearest, projected = Best(inputs), Best(inputs), Best(inputs)
        self._alternate(network, inputs, goal, rng, nearest, projected)
        for behind in (nearest, projected):
            rows = behind.score.isfinite().nonzero().squeeze(1)
            clean, reached = inputs[rows], behind.inputs[rows]
            x = pull_back(network, clean, reached, goal.take(rows), self.bisections)
            best.update(rows, x, -norm(x - clean, "l2"))
        return Perturbed(best.inputs, unmeasured(inputs))

    def _alternate(
        self, network: Network, clean: Tensor, goal: Goal, rng: Streams, nearest: Best, projected: Best
    ) -> None:
        """Walk and project, until the projection crosses or moves no more."""
        standing, x, walk = Standing(len(clean), clean.device), clean, self._walk()
        for _ in range(self.steps):
            behind = walk.search(network, x, goal, rng).inputs
            f, w = linearise(network, behind, goal, 1)
            self._keep(f[:, 0] > 0, behind, clean, nearest, standing.rows)
            gap = (1 + self.overshoot) * (w * (behind - clean).flatten(1)[:, None]).sum(2)
            step = smallest_step(x, w, gap, "l2", self.bounds)
            x = self._inside(x + step)
            with torch.no_grad():
                crossed = goal.reached(network(x))
            for best in (nearest, projected):
                self._keep(crossed, x, clean, best, standing.rows)
            clean, x, goal = standing.drop(crossed | (norm(step, "l2") == 0), clean, x, goal)
            if not len(x):
                return

    def _walk(self) -> DeepFool:
        return DeepFool(
            bounds=self.bounds,
            steps=self.walk,
            overshoot=self.overshoot,
            candidates=self.candidates,
            refinements=self.refinements,
        )

    def _keep(self, crossed: Tensor, x: Tensor, clean: Tensor, best: Best, rows: Tensor) -> None:
        best.update(rows, x, -norm(x - clean, "l2").masked_fill(~crossed, torch.inf))

    def _inside(self, x: Tensor) -> Tensor:
        return x if self.bounds is None else x.clamp(*self.bounds)
