"""The l2 search of Carlini and Wagner."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from robust_train.attacking.best import Best
from robust_train.attacking.dropping import Standing
from robust_train.attacking.gradients import input_gradient
from robust_train.checks import check_positive
from robust_train.norms import norm, unsqueeze_like
from robust_train.perturbations.base import Minimal, unmeasured
from robust_train.randomness import Streams
from robust_train.types import Goal, Network, Perturbed, Rows

_INSIDE = 0.999  # share of the box in which the search starts: at its walls, w is infinite and hardly moves
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8  # of Adam


@dataclass(frozen=True, kw_only=True)
class CarliniWagner(Minimal):
    r"""Smallest perturbation by the penalty method, minimised with Adam in a variable that knows no box.

    With m the margin of the label to leave, :math:`\kappa` the confidence and c found by binary search,

    .. math:: \min_w\; \|x(w) - x_0\|_2^2 + c\, \max(m(x(w)) + \kappa, 0), \qquad
        x(w) = l + (u - l) \frac{1 + \tanh w}{2}

    Without a box, x(w) is :math:`x_0 + w`. The weight c grows tenfold until the goal is reached, shrinks
    tenfold while it is, and is then bisected on a logarithmic scale.

    Departures from the paper, which leave smaller perturbations for fewer passes: in a box, each
    minimisation starts at the smallest perturbation so far, or at the end of the last one until there is
    any, where the paper goes back to the input; and each sample has a c, a state of Adam and a stop of its
    own. It leaves the search once c is known well enough and, with ``progress``, a minimisation once its
    loss falls but little.

    Args:
        steps: Forward and backward passes for each c, at the most.
        learning_rate: Learning rate of Adam, in units of w.
        binary_search_steps: Values of c that are tried.
        initial_const: The value of c that is tried first.
        progress: Share by which the lowest loss has to fall from one check to the next, or the
            minimisation ends; at 0 it never does.
        checks: Number of times that the progress is checked in the course of a minimisation; short ones
            need their time to turn around.
        ratio: Ratio of the ends of the search over c at which it ends; at 1 it never does.
        confidence: Margin behind the boundary, in units of the logits, that a find has to have.

    References:
        Towards evaluating the robustness of neural networks (Carlini and Wagner, 2017)

    Example:
        >>> network = torch.nn.Linear(2, 2)
        >>> _ = network.weight.data.copy_(torch.eye(2)), network.bias.data.zero_()
        >>> search = CarliniWagner(steps=100, learning_rate=0.05, initial_const=1.0)
        >>> found = search(network, torch.tensor([[0.8, 0.4]]), torch.tensor([0]))
        >>> round(found.size.item(), 2)  # 0.4 / sqrt(2)
        0.28
    """

    norm: Literal["l2"] = "l2"
    steps: int = 1000
    learning_rate: float = 0.01
    binary_search_steps: int = 9
    initial_const: float = 1e-3
    progress: float = 0.0
    checks: int = 10
    ratio: float = 1.2
    confidence: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "steps", "learning_rate", "binary_search_steps", "initial_const", "checks")
        check_positive(self, "confidence", "progress", zero=True)
        if not self.ratio >= 1:
            raise ValueError(f"CarliniWagner: ratio must be at least 1, not {self.ratio}.")

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        best, end = Best(inputs), inputs.clone()
        c = torch.full_like(inputs.flatten(1)[:, 0], self.initial_const)
        low, high = torch.zeros_like(c), torch.full_like(c, torch.inf)
        for _ in range(self.binary_search_steps):
            rows = (high >= self.ratio * low).nonzero().squeeze(1)
            if not len(rows):
                break
            reached = torch.zeros_like(c, dtype=torch.bool)
            problem = _Problem(inputs[rows], goal.take(rows), c[rows])
            reached[rows] = self._minimise(network, problem, best, end, rows)
            low[rows] = torch.where(reached, low, c)[rows]
            high[rows] = torch.where(reached, c, high)[rows]
            c = torch.where(low > 0, torch.where(high.isinf(), 10 * low, (low * high).sqrt()), high / 10)
        return Perturbed(best.inputs, unmeasured(inputs))

    def _minimise(
        self, network: Network, problem: "_Problem", best: Best, end: Tensor, rows: Tensor
    ) -> Tensor:
        """Record what reaches the goal on the way, and the end; ``(N,)`` whether anything does."""
        standing, reached = Standing(len(rows), rows.device), problem.c < 0
        start = torch.where(unsqueeze_like(best.score[rows].isfinite(), end), best.inputs[rows], end[rows])
        adam, stalled = _Adam.at(self._variable(start)), reached
        before = least = torch.full_like(problem.c, torch.inf)
        for t in range(self.steps):
            x, slope = self._image(adam.w, problem.clean)
            f, g, behind = self._loss(network, x, problem)
            behind &= ~stalled
            reached = reached.index_put((standing.rows,), behind | reached[standing.rows])
            size = norm(x - problem.clean, "l2")
            best.update(rows[standing.rows], x, -size.masked_fill(~behind, torch.inf))
            end[rows[standing.rows[~stalled]]] = x[~stalled]
            adam, least = adam.step(g * slope, self.learning_rate, t + 1), torch.minimum(least, f)
            if t and t % max(self.steps // self.checks, 1) == 0:
                # Not "greater": what is not finite has stalled.
                stalled, before = stalled | ~(least <= (1 - self.progress) * before), least
                problem, adam, stalled, before, least = standing.drop(
                    stalled, problem, adam, stalled, before, least
                )
                if not len(standing):
                    break
        return reached

    def _loss(self, network: Network, x: Tensor, problem: "_Problem") -> tuple[Tensor, Tensor, Tensor]:
        """``(N,)`` losses, their gradients in x, and where the goal is reached with confidence."""
        clean, goal, c = problem.clean, problem.goal, problem.c
        logits, hinge, g = input_gradient(
            network, x, lambda z: c * (goal.margin(z) + self.confidence).clamp_min(0)
        )
        r = x - clean
        return r.flatten(1).square().sum(1) + hinge, g + 2 * r, goal.margin(logits) < -self.confidence

    def _variable(self, x: Tensor) -> Tensor:
        """The w of images; without a box, that of the input."""
        if self.bounds is None:
            return torch.zeros_like(x)
        low, high = self.bounds
        return (_INSIDE * (2 * (x - low) / (high - low) - 1)).atanh()

    def _image(self, w: Tensor, clean: Tensor) -> tuple[Tensor, Tensor]:
        """The images of w, and their derivative."""
        if self.bounds is None:
            return clean + w, torch.ones_like(w)
        (low, high), tanh = self.bounds, w.tanh()
        x = low + (high - low) * (1 + tanh) / 2
        return x.clamp(low, high), (high - low) * (1 - tanh.square()) / 2


@dataclass(frozen=True, eq=False)
class _Problem(Rows):
    """From where to go, to where, and what being short of it costs."""

    clean: Tensor
    goal: Goal
    c: Tensor


@dataclass(frozen=True, eq=False)
class _Adam(Rows):
    """The variable, and the running means of its gradient and of the square of that."""

    w: Tensor
    m: Tensor
    v: Tensor

    @classmethod
    def at(cls, w: Tensor) -> "_Adam":
        return cls(w, torch.zeros_like(w), torch.zeros_like(w))

    def step(self, g: Tensor, learning_rate: float, t: int) -> "_Adam":
        """The t-th step, counted from 1."""
        m = _BETA_1 * self.m + (1 - _BETA_1) * g
        v = _BETA_2 * self.v + (1 - _BETA_2) * g.square()
        unbiased, scale = m / (1 - _BETA_1**t), (v / (1 - _BETA_2**t)).sqrt()
        return _Adam(self.w - learning_rate * unbiased / (scale + _EPSILON), m, v)
