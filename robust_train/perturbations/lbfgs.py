"""The box-constrained L-BFGS search of Szegedy et al."""

from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor

from robust_train.attacking.aims import aims_at
from robust_train.attacking.best import Best
from robust_train.attacking.dropping import Standing
from robust_train.attacking.gradients import input_gradient
from robust_train.attacking.secants import Secants
from robust_train.checks import check_positive
from robust_train.norms import norm, unsqueeze_like
from robust_train.objectives import Margin, Objective
from robust_train.perturbations.base import Minimal, unmeasured
from robust_train.randomness import Streams
from robust_train.types import Goal, Network, Perturbed, Rows

_ARMIJO = 1e-4  # share of the promised decrease that a step has to bring
_SHORT = 1e-3  # a step this short, relative to the perturbation, ends a minimisation


@dataclass(frozen=True, kw_only=True)
class LBFGS(Minimal):
    r"""Smallest perturbation by the penalty method, minimised with L-BFGS inside the box.

    .. math:: \min_r\; c \|r\|_2^2 + J(x + r, \tilde y) \quad \text{subject to} \quad l \le x + r \le u

    Here c is as large as it can be with a minimiser that is still classified as the target: it
    multiplies the norm, so that large means near. It grows tenfold while the target is reached,
    shrinks tenfold while it is not, and is then bisected on a logarithmic scale. Without a target,
    each of the strongest other classes is tried.

    Departures from the paper, all for smaller perturbations: J is the margin to the target by
    default, as the gradient of the cross-entropy mixes all classes and so leads past the nearest
    point of a boundary. The norm is squared, having no gradient at 0, where the search starts. Each
    c starts at the minimiser of the one before, and every point that is evaluated counts, not the
    minimisers alone. Samples have a history and a line search of their own: each pass evaluates
    one trial point of each sample, so that none waits for another.

    Args:
        c: First weight of the squared norm.
        binary_search_steps: Weights that are tried.
        steps: Forward and backward passes for each weight, at the most.
        history: Pairs of steps and changes of the gradient that each sample remembers.
        candidates: Classes that are tried, by descending logit, where the goal is to leave one.
        objective: Whose negative is J; ``CrossEntropy()`` is the paper's.

    References:
        Intriguing properties of neural networks (Szegedy et al., 2014)

    Example:
        >>> network = torch.nn.Linear(2, 2)
        >>> _ = network.weight.data.copy_(torch.eye(2)), network.bias.data.zero_()
        >>> search = LBFGS(binary_search_steps=20)
        >>> found = search(network, torch.tensor([[0.8, 0.4]]), torch.tensor([0]))
        >>> round(found.size.item(), 3)  # 0.4 / sqrt(2)
        0.283
    """

    norm: Literal["l2"] = "l2"
    c: float = 0.1
    binary_search_steps: int = 11
    steps: int = 3
    history: int = 5
    candidates: int = 3
    objective: Objective = field(default_factory=Margin)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "c", "binary_search_steps", "steps", "history", "candidates")

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        targets = torch.stack([aim.labels for aim in aims_at(network, inputs, goal, self.candidates)])
        sample = torch.arange(len(inputs), device=inputs.device).repeat(len(targets))
        c = torch.full_like(inputs.flatten(1)[sample, 0], self.c)
        problem = _Problem(inputs[sample], Goal(targets.flatten(), True, goal.reject), goal.take(sample), c)
        best, at = Best(problem.center), self._evaluate(network, problem.center, problem)
        low, high = torch.zeros_like(c), torch.full_like(c, torch.inf)
        for _ in range(self.binary_search_steps):
            at = self._minimise(network, replace(problem, c=c), at, best)
            low, high = torch.where(at.reached, c, low), torch.where(at.reached, high, c)
            c = torch.where(low > 0, torch.where(high.isinf(), 10 * low, (low * high).sqrt()), high / 10)
        target = best.score.view(len(targets), -1).argmax(0)
        return Perturbed(best.inputs[target * len(inputs) + sample[: len(inputs)]], unmeasured(inputs))

    def _minimise(self, network: Network, problem: "_Problem", at: "_Point", best: Best) -> "_Point":
        """The minimisers for these c, from the given points."""
        standing, minimisers = Standing(len(at.x), at.x.device), at
        f, g = problem.penalised(at)
        # The first step has length 1, or goes to where the norm alone would be least.
        gamma = torch.minimum(1 / norm(g, "l2").clamp_min(1e-12), 0.5 / problem.c)
        secants, t, done = Secants.none(g, self.history, gamma), torch.ones_like(f), f.isnan()
        for _ in range(self.steps):
            d = self._direction(at.x, g, secants)
            trial = self._evaluate(network, self._clip(at.x + unsqueeze_like(t, d) * d), problem)
            size = norm(trial.x - problem.center, "l2")
            # What is done may stay in the batch for a while, and must not go on for it.
            best.update(standing.rows, trial.x, -size.masked_fill(~trial.reached | done, torch.inf))
            (f_trial, g_trial), s = problem.penalised(trial), trial.x - at.x
            accept = (f_trial <= f + _ARMIJO * (g * s).flatten(1).sum(1)) & ~done
            secants = secants.push(accept, s, g_trial - g)
            at, t = at.replaced(accept, trial), torch.where(accept, 1, t / 4)
            minimisers = minimisers.put(standing.rows, at)
            done = done | (norm(s, "l2") <= _SHORT * size)
            problem, at, secants, t, done = standing.drop(done, problem, at, secants, t, done)
            if not len(t):
                break
            f, g = problem.penalised(at)
        return minimisers

    def _direction(self, x: Tensor, g: Tensor, secants: Secants) -> Tensor:
        """Quasi-Newton among the pixels that the box lets move; downhill in any case."""
        free = torch.ones_like(x, dtype=torch.bool)
        if self.bounds is not None:
            free = ~((x <= self.bounds[0]) & (g > 0) | (x >= self.bounds[1]) & (g < 0))
        d = -secants.times(g * free) * free
        uphill = unsqueeze_like((d * g).flatten(1).sum(1) > 0, x)
        return torch.where(uphill, -unsqueeze_like(secants.gamma, x) * g * free, d)

    def _clip(self, x: Tensor) -> Tensor:
        return x if self.bounds is None else x.clamp(*self.bounds)

    def _evaluate(self, network: Network, x: Tensor, problem: "_Problem") -> "_Point":
        logits, j, gradient = input_gradient(network, x, lambda z: -self.objective(z, problem.target))
        return _Point(x, problem.goal.reached(logits), j, gradient)


@dataclass(frozen=True, eq=False)
class _Point(Rows):
    """Where a sample is, and what one pass each way tells there: the verdict, J and its gradient."""

    x: Tensor
    reached: Tensor
    j: Tensor
    gradient: Tensor

    def replaced(self, rows: Tensor, other: "_Point") -> "_Point":
        """The other point in these rows."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return _Point(*(torch.where(unsqueeze_like(rows, a), b, a) for a, b in pairs))

    def put(self, rows: Tensor, other: "_Point") -> "_Point":
        """The rows of the other, ``(M,)`` positions, in their places."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return _Point(*(a.index_copy(0, rows, b) for a, b in pairs))


@dataclass(frozen=True, eq=False)
class _Problem(Rows):
    """From where to go, what to approach, what counts as arrived, and what the way costs."""

    center: Tensor
    target: Goal
    goal: Goal
    c: Tensor

    def penalised(self, at: _Point) -> tuple[Tensor, Tensor]:
        """``(N,)`` c r^2 + J, and its gradient."""
        r = at.x - self.center
        c = unsqueeze_like(self.c, r)
        return (c * r.square()).flatten(1).sum(1) + at.j, 2 * c * r + at.gradient
