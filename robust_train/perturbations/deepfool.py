"""DeepFool: walk to the nearest boundary of the linearised network."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from robust_train.attacking.aims import aims_at
from robust_train.attacking.best import Best
from robust_train.attacking.dropping import Standing
from robust_train.checks import check_positive
from robust_train.norms import norm, unsqueeze_like
from robust_train.perturbations.base import Minimal, unmeasured
from robust_train.perturbations.linearised import check_candidates, linearise, smallest_step
from robust_train.randomness import Streams
from robust_train.types import BallNorm, Goal, Network, Perturbed


@dataclass(frozen=True, kw_only=True)
class DeepFool(Minimal):
    r"""Smallest step onto the boundary of the linearised network, repeated until it is crossed.

    With :math:`f'_k = f_k(x_i) - f_y(x_i)` and :math:`w'_k` its gradient, each step goes to the
    nearest of the linearised boundaries, inside the box:

    .. math:: r_i = \arg\min_{k,\,r} \|r\|_p \quad \text{subject to} \quad
        f'_k + \langle w'_k, r \rangle \ge 0, \; l \le x_i + r \le u

    In l1, for which the paper has no step, the steepest pixels go to the wall, one after the other.

    Once the boundary is crossed, each refinement goes half of the way back to the input and steps onto
    the boundary linearised at the last point: the walk forgets the detours that its first steps made.
    Where that falls short of the boundary, the next ones go a fifth of the way back, a tenth and so on.
    The smallest perturbation that was seen to cross counts.

    Args:
        norm: Norm that is minimised: linf, l2 or l1.
        steps: Steps at the most, refinements not counted.
        overshoot: Share by which the perturbation is lengthened, so as to land behind the boundary.
        candidates: Classes that a step considers, the one to leave included, by descending logit.
        refinements: Steps after the first crossing.
        targets: Classes that are walked to one at a time, by descending logit; 0 for one walk to the
            nearest boundary. The smallest perturbation counts. A goal that has a target of its own has
            its way.

    References:
        DeepFool: a simple and accurate method to fool deep neural networks (Moosavi-Dezfooli,
        Fawzi and Frossard, 2016)

    Example:
        >>> network = torch.nn.Linear(2, 2)
        >>> _ = network.weight.data.copy_(torch.eye(2)), network.bias.data.zero_()
        >>> found = DeepFool(overshoot=0.0001)(network, torch.tensor([[0.8, 0.4]]), torch.tensor([0]))
        >>> round(found.size.item(), 3)  # 0.4 / sqrt(2)
        0.283
    """

    norm: BallNorm = "l2"
    steps: int = 50
    overshoot: float = 0.02
    candidates: int = 4
    refinements: int = 10
    targets: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "steps")
        check_candidates(self)
        check_positive(self, "overshoot", "refinements", "targets", zero=True)

    @classmethod
    def as_published(cls, norm: BallNorm = "l2") -> Self:
        """The authors' algorithm: ten candidates, no box, no refinement."""
        return cls(norm=norm, bounds=None, candidates=10, refinements=0)

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        best, rows = Best(inputs), torch.arange(len(inputs), device=inputs.device)
        for aim in aims_at(network, inputs, goal, self.targets):
            run = Best(inputs)
            self._walk(network, inputs, aim, run)
            found = run.score.isfinite().nonzero().squeeze(1)
            if len(found) and self.refinements:
                self._refine(network, inputs[found], aim.take(found), run, found)
            best.update(rows, run.inputs, run.score)
        return Perturbed(best.inputs, unmeasured(inputs))

    def _walk(self, network: Network, clean: Tensor, goal: Goal, best: Best) -> None:
        """Steps from where the walk stands, until the boundary is crossed."""
        standing, r = Standing(len(clean), clean.device), torch.zeros_like(clean)
        for step in range(self.steps):
            x = self._point(clean, r)
            f, w = linearise(network, x, goal, self.candidates - 1)
            # The constant of the authors' code, without which a walk can creep up to the boundary.
            extra = 1e-4 * w.norm(dim=2) if step else 0
            r = (x - clean) / (1 + self.overshoot) + smallest_step(x, w, extra - f, self.norm, self.bounds)
            # Judged apart: a forward pass is cheaper than the gradients of the classes.
            crossed = self._judge(network, clean, r, goal, best, standing.rows)
            clean, r, goal = standing.drop(crossed, clean, r, goal)
            if not len(r):
                return

    def _refine(self, network: Network, clean: Tensor, goal: Goal, best: Best, rows: Tensor) -> None:
        """Steps onto the boundary of the strongest rival, each from part of the way back."""
        r = (best.inputs[rows] - clean) / (1 + self.overshoot)
        short = torch.zeros_like(rows)
        for _ in range(self.refinements):
            x = self._point(clean, r)
            f, w = linearise(network, x, goal, 1)
            crossed = f[:, 0] > 0
            best.update(rows, x, (-norm(x - clean, self.norm)).masked_fill(~crossed, -torch.inf))
            short = torch.where(crossed, 0, short + 1)
            kept = torch.where(crossed, 0.5, 1 - 0.4 * 0.5**short).to(r)
            r = unsqueeze_like(kept, r) * r
            gap = -f + (w * (x - (clean + r)).flatten(1)[:, None]).sum(2)
            r = r + smallest_step(clean + r, w, gap, self.norm, self.bounds)
        self._judge(network, clean, r, goal, best, rows)

    def _judge(
        self, network: Network, clean: Tensor, r: Tensor, goal: Goal, best: Best, rows: Tensor
    ) -> Tensor:
        """Record what crosses the boundary; ``(N,)`` whether it does."""
        x = self._point(clean, r)
        with torch.no_grad():
            crossed = goal.reached(network(x))
        best.update(rows, x, (-norm(x - clean, self.norm)).masked_fill(~crossed, -torch.inf))
        return crossed

    def _point(self, clean: Tensor, r: Tensor) -> Tensor:
        x = clean + (1 + self.overshoot) * r
        return x if self.bounds is None else x.clamp(*self.bounds)
