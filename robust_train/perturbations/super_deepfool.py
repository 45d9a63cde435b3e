"""SuperDeepFool: DeepFool whose detours are projected onto the normal of the boundary."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from robust_train.attacking.best import Best
from robust_train.attacking.dropping import Standing
from robust_train.norms import norm, unsqueeze_like
from robust_train.perturbations.base import Minimal, check_positive, unmeasured
from robust_train.perturbations.deepfool import DeepFool
from robust_train.perturbations.linearised import linearise, smallest_step
from robust_train.randomness import Streams
from robust_train.types import Goal, Network, Perturbed

_NEARER = 0.01  # share by which each walk ends nearer than those before, or it is the last


@dataclass(frozen=True, kw_only=True)
class SuperDeepFool(Minimal):
    r"""Walks to the boundary and projects onto its normal there, until the projection crosses.

    With :math:`\tilde x` where DeepFool from x crosses, and w the normal of the boundary there,

    .. math:: x \leftarrow x_0 + \frac{\langle \tilde x - x_0, w \rangle}{\|w\|_2^2}\, w

    followed by bisections between the input and the smallest perturbation that crossed.

    Inside a box the projection is the smallest step that gains as much along w as the formula does,
    where the published one leaves the box. It overshoots, as a walk does: projections onto a boundary
    that curves away never cross it otherwise. A walk that ends hardly nearer than those before is the
    last, too.

    Args:
        steps: Projections at the most.
        walk: Steps of each walk at the most.
        overshoot: Share by which walks and projections are lengthened, so as to land behind the boundary.
        candidates: Classes that a step of a walk considers, the one to leave included, by descending
            logit.
        bisections: Halvings at the end.

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
    bisections: int = 10

    def __post_init__(self) -> None:
        check_positive(self, "steps", "walk", "candidates")
        check_positive(self, "overshoot", "bisections", zero=True)
        if self.norm != "l2":
            raise ValueError(f"SuperDeepFool: it minimises l2 only, not {self.norm}.")

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        best = Best(inputs)
        self._alternate(network, inputs, goal, rng, best)
        found = best.score.isfinite().nonzero().squeeze(1)
        if len(found):
            nearer = self._bisect(network, inputs[found], best.inputs[found], goal.take(found))
            best.inputs[found] = nearer
        return Perturbed(best.inputs, unmeasured(inputs))

    def _alternate(self, network: Network, clean: Tensor, goal: Goal, rng: Streams, best: Best) -> None:
        """Walk and project, until the projection crosses or the walk ends no nearer."""
        standing, x, walk = Standing(len(clean), clean.device), clean, self._walk()
        for _ in range(self.steps):
            behind = walk.search(network, x, goal, rng).inputs
            f, w = linearise(network, behind, goal, 1)
            nearer = norm(behind - clean, "l2") < (1 - _NEARER) * -best.score[standing.rows]
            nearer &= f[:, 0] > 0
            self._keep(f[:, 0] > 0, behind, clean, best, standing.rows)
            gap = (1 + self.overshoot) * (w * (behind - clean).flatten(1)[:, None]).sum(2)
            x = self._inside(clean + smallest_step(clean, w, gap, "l2", self.bounds))
            with torch.no_grad():
                crossed = goal.reached(network(x))
            self._keep(crossed, x, clean, best, standing.rows)
            clean, x, goal = standing.drop(crossed | ~nearer, clean, x, goal)
            if not len(x):
                return

    def _walk(self) -> DeepFool:
        return DeepFool(
            bounds=self.bounds,
            steps=self.walk,
            overshoot=self.overshoot,
            candidates=self.candidates,
            refinements=0,
        )

    def _keep(self, crossed: Tensor, x: Tensor, clean: Tensor, best: Best, rows: Tensor) -> None:
        best.update(rows, x, -norm(x - clean, "l2").masked_fill(~crossed, torch.inf))

    def _bisect(self, network: Network, clean: Tensor, behind: Tensor, goal: Goal) -> Tensor:
        """The last points seen behind the boundary, on the segments from the inputs."""
        low, high = clean.new_zeros(len(clean)), clean.new_ones(len(clean))
        for _ in range(self.bisections):
            middle = (low + high) / 2
            x = torch.lerp(clean, behind, unsqueeze_like(middle, clean))
            with torch.no_grad():
                crossed = goal.reached(network(x))
            low, high = torch.where(crossed, low, middle), torch.where(crossed, middle, high)
        # Where nothing on the way crosses, the very point that did.
        nearer = torch.lerp(clean, behind, unsqueeze_like(high, clean))
        return torch.where(unsqueeze_like(high < 1, clean), nearer, behind)

    def _inside(self, x: Tensor) -> Tensor:
        return x if self.bounds is None else x.clamp(*self.bounds)
