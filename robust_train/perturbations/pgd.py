"""Projected gradient ascent."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self

import torch
from torch import Tensor

from robust_train.attacking.ascent import ascent
from robust_train.attacking.best import Best
from robust_train.attacking.dropping import Standing
from robust_train.attacking.gradients import input_gradient
from robust_train.checks import check_positive
from robust_train.norms import Ball
from robust_train.objectives import CrossEntropy, Objective
from robust_train.perturbations.base import Budgeted, unmeasured
from robust_train.randomness import Streams
from robust_train.types import Goal, Network, Perturbed


@dataclass(frozen=True, kw_only=True)
class PGD(Budgeted):
    r"""Ascend the loss along the steepest direction of the norm, projecting back to the ball.

    .. math:: x \leftarrow \Pi\big(x + \alpha\, \mathrm{steepest}(\nabla_x \ell(f(x), y))\big)

    With ``drop``, as an evaluation wants it, every iterate is judged, a sample leaves the search
    once it is fooled, in whichever restart, and the rest keep the iterate of the largest loss.
    Without, as training wants it, all samples take all steps and keep the last iterate (of the
    restart with the largest loss).

    Args:
        steps: Gradient steps.
        step_size: Length of a step in the norm; by default ``2.5 * eps / steps``, but no
            less than ``eps / 4``: more, smaller steps find less.
        random_start: Start at a random point of the ball rather than at the input.
        restarts: Independent starts, searched as one batch; the strongest counts.
        objective: The loss that is ascended.
        drop: Let a sample go once it is fooled.

    References:
        Towards deep learning models resistant to adversarial attacks (Madry et al., 2018)

    Example:
        >>> import torch
        >>> network = torch.nn.Linear(4, 3)
        >>> found = PGD(norm="l2", eps=0.5)(network, torch.full((2, 4), 0.5), torch.tensor([0, 1]))
        >>> bool((found.size <= 0.5).all())
        True
    """

    steps: int = 40
    step_size: float | None = None
    random_start: bool = True
    restarts: int = 1
    objective: Objective = field(default_factory=CrossEntropy)
    drop: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "steps", "step_size", "restarts")

    def maximising(self) -> Self:
        return replace(self, drop=False)

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        sample = torch.arange(len(inputs), device=inputs.device).repeat(self.restarts)
        ball, goals = self.ball(inputs).take(sample), goal.take(sample)
        x = ball.sample(rng.repeat(self.restarts)) if self.random_start else ball.center
        if self.drop:
            with torch.no_grad():
                wrong = goal.reached(network(inputs))
            best = self._pursue(network, x, ball, goals, sample, wrong)
        else:
            best = self._climb(network, x, ball, goals)
        restart = best.score.view(self.restarts, -1).argmax(0)
        rows = restart * len(inputs) + sample[: len(inputs)]
        return Perturbed(best.inputs[rows], unmeasured(inputs))

    def _climb(self, network: Network, x: Tensor, ball: Ball, goal: Goal) -> Best:
        """All steps for all rows; the score is the loss of the last iterate."""
        for _ in range(self.steps):
            x = self._step(x, input_gradient(network, x, self._loss(goal)).gradient, ball)
        best = Best(x)
        if self.restarts > 1:
            with torch.no_grad():
                best.score = self._loss(goal)(network(x)).nan_to_num(-torch.inf, torch.inf, -torch.inf)
        return best

    def _pursue(
        self, network: Network, x: Tensor, ball: Ball, goal: Goal, sample: Tensor, wrong: Tensor
    ) -> Best:
        """Steps for what still stands; the score is the loss, infinite where the goal is reached."""
        best, standing = Best(ball.center), Standing(len(x), x.device)
        best.score[wrong[sample]] = torch.inf
        for _ in range(self.steps):
            # One success of a sample ends all of its restarts.
            done = best.score.isposinf().view(self.restarts, -1).any(0)[sample]
            x, ball, goal, sample = standing.drop(done, x, ball, goal, sample)
            if not len(x):
                return best
            logits, loss, gradient = input_gradient(network, x, self._loss(goal))
            best.update(standing.rows, x, loss.masked_fill(goal.reached(logits), torch.inf))
            x = self._step(x, gradient, ball)
        with torch.no_grad():
            logits = network(x)
        loss = self._loss(goal)(logits)
        best.update(standing.rows, x, loss.masked_fill(goal.reached(logits), torch.inf))
        return best

    def _loss(self, goal: Goal) -> Callable[[Tensor], Tensor]:
        return lambda logits: self.objective(logits, goal)

    def _step(self, x: Tensor, gradient: Tensor, ball: Ball) -> Tensor:
        alpha = self.step_size or max(2.5 / self.steps, 0.25) * self.eps
        return ball.project(x + alpha * ascent(gradient, x, ball))
