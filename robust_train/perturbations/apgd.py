"""Projected gradient ascent that chooses its own step sizes."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Self

import torch
from torch import Tensor

from robust_train.attacking.aims import aims
from robust_train.attacking.ascent import ascent
from robust_train.attacking.best import Best
from robust_train.attacking.dropping import Standing
from robust_train.attacking.gradients import input_gradient
from robust_train.checks import check_positive
from robust_train.norms import Ball, unsqueeze_like
from robust_train.objectives import CrossEntropy, Objective
from robust_train.perturbations.base import Budgeted, unmeasured
from robust_train.randomness import Streams
from robust_train.types import Goal, Network, Perturbed, Rows

_MOMENTUM = 0.75


@dataclass(frozen=True, kw_only=True)
class APGD(Budgeted):
    r"""Projected gradient ascent with momentum, whose step is halved where it stops to help.

    .. math:: z = \Pi\big(x_k + \eta\, \mathrm{steepest}(\nabla \ell(x_k))\big), \qquad
        x_{k+1} = \Pi\big(x_k + 0.75 (z - x_k) + 0.25 (x_k - x_{k-1})\big)

    The step :math:`\eta` of each sample starts at 2 eps. At checkpoints that come closer and closer it
    is halved, and the search goes back to its best point, where the loss rose in fewer than a
    share rho of the steps since the last checkpoint, or where neither step nor best loss has
    changed since.

    With ``drop`` a sample leaves the search once it is fooled. With ``targets``, runs towards each of
    the likeliest other classes follow one another, each on what still stands. In l1 the steps are
    those of ``PGD``, without the sparsity that the authors' later work adapts.

    Args:
        steps: Gradient steps of each run.
        restarts: Independent starts, searched as one batch; the strongest counts.
        rho: Share of the steps that have to raise the loss.
        objective: The loss that is ascended.
        targets: Classes that are run towards, by descending logit; 0 for an untargeted run. A goal
            that has a target of its own has its way.
        drop: Let a sample go once it is fooled.

    References:
        Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free
        attacks (Croce and Hein, 2020)

    Example:
        >>> network = torch.nn.Linear(4, 3)
        >>> found = APGD(eps=0.1, steps=20)(network, torch.full((2, 4), 0.5), torch.tensor([0, 1]))
        >>> bool((found.size <= 0.1).all())
        True
    """

    steps: int = 100
    restarts: int = 1
    rho: float = 0.75
    objective: Objective = field(default_factory=CrossEntropy)
    targets: int = 0
    drop: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "steps", "restarts", "rho")
        check_positive(self, "targets", zero=True)

    def maximising(self) -> Self:
        return replace(self, drop=False)

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        best = Best(inputs)
        with torch.no_grad():
            logits = network(inputs)
        if self.drop:
            best.score[goal.reached(logits)] = torch.inf
        for number, aim in enumerate(aims(logits, goal, self.targets)):
            rows = (~best.score.isposinf()).nonzero().squeeze(1)
            if not len(rows):
                break
            run = self._start(inputs[rows], goal.take(rows), aim.take(rows), rng.take(rows).fold(number))
            found = self._climb(network, run, len(rows))
            score, restart = found.score.view(self.restarts, -1).max(0)
            x = found.inputs[restart * len(rows) + torch.arange(len(rows), device=rows.device)]
            best.update(rows, x, score)
        return Perturbed(best.inputs, unmeasured(inputs))

    def _start(self, inputs: Tensor, goal: Goal, aim: Goal, rng: Streams) -> "_Run":
        sample = torch.arange(len(inputs), device=inputs.device).repeat(self.restarts)
        ball = self.ball(inputs).take(sample)
        x = ball.sample(rng.repeat(self.restarts))
        return _Run.at(x, ball, goal.take(sample), aim.take(sample), 2 * self.eps)

    def _climb(self, network: Network, run: "_Run", count: int) -> Best:
        """One run of ``count`` samples; the score is the lead over the goal, infinite where it is reached."""
        best, standing, last = Best(run.ball.center), Standing(len(run.x), run.x.device), 0
        checkpoints = _checkpoints(self.steps)
        sample = torch.arange(count, device=run.x.device).repeat(self.restarts)
        for k in range(self.steps):
            # One success of a sample ends all of its restarts.
            done = best.score.isposinf().view(self.restarts, -1).any(0)[sample]
            sample, run = standing.drop(done & self.drop, sample, run)
            if not len(sample):
                return best
            logits, f, gradient = input_gradient(network, run.x, self._loss(run.aim))
            best.update(standing.rows, run.x, self._score(logits, f, run.goal))
            run = run.judged(f, gradient)
            if k in checkpoints:
                run, gradient = run.adapted(self.rho * (k - last), gradient)
                last = k
            run = run.moved(gradient, _MOMENTUM if k else 1.0)
        with torch.no_grad():
            logits = network(run.x)
        best.update(standing.rows, run.x, self._score(logits, self._loss(run.aim)(logits), run.goal))
        return best

    def _score(self, logits: Tensor, f: Tensor, goal: Goal) -> Tensor:
        """The loss itself where it is all that counts, as in training."""
        margin = goal.margin(logits)
        return (-margin).masked_fill(margin < 0, torch.inf) if self.drop else f

    def _loss(self, aim: Goal) -> Callable[[Tensor], Tensor]:
        return lambda logits: self.objective(logits, aim)


def _checkpoints(steps: int) -> set[int]:
    """After 22 % of the steps, and then after 3 % less each time than before, but at least 6 %.

    Example:
        >>> sorted(_checkpoints(100))
        [22, 41, 57, 70, 80, 87, 93, 99]
    """
    shares, gap = [0.0, 0.22], 0.22
    while shares[-1] < 1:
        gap = max(gap - 0.03, 0.06)
        shares.append(shares[-1] + gap)
    return {ceil(round(share * steps, 6)) for share in shares[1:]} & set(range(steps))


@dataclass(frozen=True, eq=False)
class _Run(Rows):
    """Where each row is, where it came from, the best that it has seen, and how far it steps."""

    ball: Ball
    goal: Goal
    aim: Goal
    x: Tensor
    previous: Tensor
    f: Tensor
    rises: Tensor
    eta: Tensor
    halved: Tensor
    before: Tensor
    top_x: Tensor
    top_f: Tensor
    top_gradient: Tensor

    @classmethod
    def at(cls, x: Tensor, ball: Ball, goal: Goal, aim: Goal, eta: float) -> Self:
        """A run that begins."""
        one = x.new_ones(len(x))
        return cls(
            ball, goal, aim, x, x, f=torch.inf * one, rises=0 * one, eta=eta * one, halved=one < 0,
            before=-torch.inf * one, top_x=x, top_f=-torch.inf * one, top_gradient=torch.zeros_like(x),
        )  # fmt: skip

    def judged(self, f: Tensor, gradient: Tensor) -> Self:
        """With the loss at x counted and, where it is the largest so far, kept."""
        better = f > self.top_f
        rows = unsqueeze_like(better, self.x)
        return replace(
            self,
            f=f,
            rises=self.rises + (f > self.f),
            top_x=torch.where(rows, self.x, self.top_x),
            top_f=torch.where(better, f, self.top_f),
            top_gradient=torch.where(rows, gradient, self.top_gradient),
        )

    def adapted(self, needed: float, gradient: Tensor) -> tuple[Self, Tensor]:
        """Half the step, back at the best point, where it stopped to help; and the gradient there."""
        stalled = (self.rises <= needed) | (~self.halved & (self.before >= self.top_f))
        rows = unsqueeze_like(stalled, self.x)
        adapted = replace(
            self,
            x=torch.where(rows, self.top_x, self.x),
            f=torch.where(stalled, self.top_f, self.f),
            rises=torch.zeros_like(self.rises),
            eta=torch.where(stalled, self.eta / 2, self.eta),
            halved=stalled,
            before=self.top_f,
        )
        return adapted, torch.where(rows, self.top_gradient, gradient)

    def moved(self, gradient: Tensor, a: float) -> Self:
        """One step with momentum."""
        x, eta = self.x, unsqueeze_like(self.eta, self.x)
        z = self.ball.project(x + eta * ascent(gradient, x, self.ball))
        y = self.ball.project(x + a * (z - x) + (1 - a) * (x - self.previous))
        return replace(self, x=y, previous=x)
