"""A budgeted search turned into a minimal one."""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from robust_train.attacking.best import Best
from robust_train.checks import check_positive
from robust_train.norms import norm
from robust_train.perturbations.base import Budgeted, Minimal, check_fitted, unmeasured
from robust_train.randomness import Streams
from robust_train.types import Goal, Network, Norm, Perturbed


@dataclass(frozen=True, kw_only=True)
class Smallest(Minimal):
    r"""Smallest budget with which a budgeted search reaches the goal, by bisection of each sample's own.

    .. math:: \min \epsilon \quad \text{subject to} \quad f(x + r_\epsilon(x)) \neq f(x)

    The budgets lie on a geometric grid, :math:`\epsilon_k = \epsilon_0 2^{k / 2^b}` with b
    bisections. A sample starts at the eps of the search, doubles it until the goal is reached
    or halves it until it is not, and then bisects between the two; samples whose turn is at the
    same budget are searched as one batch. What counts is the size that is measured, which can be
    less than the budget, and a success serves all budgets above it. A search that fails at a
    budget although it would succeed at a smaller one can hide a smaller perturbation.

    With ``FGSM`` it is the minimal form of the fast gradient sign method.

    Args:
        budgeted: The search; its eps is the first budget, its norm the one that is minimised.
        smallest: Below, sizes are no longer told apart, in pixel units.
        largest: Where the search gives up; by default the diagonal of the box, or a thousand
            times the first budget without one.
        bisections: Halvings of each sample's bracket; the last one is 2^(1/2^bisections) wide.

    Raises:
        ValueError: The search refuses one of the budgets, or has to learn.

    References:
        DeepFool: a simple and accurate method to fool deep neural networks (Moosavi-Dezfooli,
        Fawzi and Frossard, 2016), for the minimal form of FGSM

    Example:
        >>> from robust_train.perturbations.fgsm import FGSM
        >>> network = torch.nn.Linear(2, 2)
        >>> _ = network.weight.data.copy_(torch.eye(2)), network.bias.data.zero_()
        >>> search = Smallest(budgeted=FGSM(norm="linf"), bisections=10)
        >>> found = search(network, torch.tensor([[0.8, 0.4]]), torch.tensor([0]))
        >>> round(found.size.item(), 3)  # 0.4 / 2
        0.2
    """

    norm: Norm = field(init=False, repr=False)
    budgeted: Budgeted
    smallest: float = 1e-3
    largest: float | None = None
    bisections: int = 6

    def __post_init__(self) -> None:
        object.__setattr__(self, "norm", self.budgeted.norm)
        check_fitted(self, self.budgeted)
        check_positive(self, "smallest", "largest", "bisections")
        check_positive(self.budgeted, "eps")
        for eps in (self.smallest, self.largest):
            if eps is not None:
                self._within(eps)

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        best, largest = Best(inputs), self.largest or self._far(inputs)
        with torch.no_grad():
            clean = goal.reached(network(inputs))
        best.score[clean] = 0
        # Levels of the grid: the last that failed and the first that succeeded.
        high = torch.full((len(inputs),), torch.inf, dtype=torch.float64, device=inputs.device)
        # Nothing is searched where nothing is left to find, or where there is no label to leave.
        low, high = -high, high.masked_fill(clean | (goal.labels < 0), -torch.inf)
        while True:
            standing = (high - low > 1) & (high > self._level(self.smallest)) & (low < self._level(largest))
            level = self._next(low, high).masked_fill(~standing, torch.nan)
            if not bool(standing.any()):
                return Perturbed(best.inputs, unmeasured(inputs))
            for k in torch.unique(level[standing]).tolist():
                rows = (level == k).nonzero().squeeze(1)
                search = self._within(min(self._eps(k), largest))
                goals, streams = goal.take(rows), rng.take(rows).fold(int(k))
                tried = search(network, inputs[rows], goals.labels, goal=goals, rng=streams)
                with torch.no_grad():
                    reached = goals.reached(network(tried.inputs))
                best.update(rows, tried.inputs, -tried.size.masked_fill(~reached, torch.inf))
                found = self._level(tried.size).ceil().clamp_max(k)
                high[rows] = torch.where(reached, found, high[rows])
                low[rows] = torch.where(reached, low[rows], k)

    def _next(self, low: Tensor, high: Tensor) -> Tensor:
        """``(N,)`` the level that each sample tries next: twice, half, or the middle."""
        octave = self._octave
        up, down, middle = low + octave, ((high - 1) / octave).floor() * octave, ((low + high) / 2).floor()
        bracketed = torch.where(high.isinf(), up, torch.where(low.isinf(), down, middle))
        return bracketed.masked_fill(low.isinf() & high.isinf(), 0)

    def _eps(self, level: float) -> float:
        return float(self.budgeted.eps * 2 ** (level / self._octave))

    def _level(self, size: Tensor | float) -> Tensor:
        sizes = torch.as_tensor(size, dtype=torch.float64)
        return (sizes / self.budgeted.eps).log2() * self._octave

    @property
    def _octave(self) -> int:
        """Levels from a budget to its double."""
        return 1 << self.bisections

    def _within(self, eps: float) -> Budgeted:
        return replace(self.budgeted, eps=eps, bounds=self.bounds)

    def _far(self, inputs: Tensor) -> float:
        """Further than anything in the box."""
        if self.bounds is None:
            return 1000 * self.budgeted.eps
        diagonal = torch.full_like(inputs[:1], self.bounds[1] - self.bounds[0], dtype=torch.float64)
        return float(norm(diagonal, self.norm))
