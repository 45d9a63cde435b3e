"""DDN: decouple the direction of a perturbation from its norm."""

from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor

from robust_train.attacking.best import Best
from robust_train.attacking.box import scale_to
from robust_train.attacking.gradients import input_gradient
from robust_train.attacking.schedules import cosine
from robust_train.checks import check_positive
from robust_train.norms import norm, steepest
from robust_train.objectives import CrossEntropy, Objective
from robust_train.perturbations.base import Minimal, unmeasured
from robust_train.randomness import Streams
from robust_train.types import Goal, Network, Perturbed

_LAST_STEP = 0.01  # of the cosine schedule, relative to the first


@dataclass(frozen=True, kw_only=True)
class DDN(Minimal):
    r"""Steps along the gradient, scaled to a norm that shrinks behind the boundary and grows before it.

    With :math:`g` the gradient of the loss, of norm 1, and :math:`\alpha_k` on a cosine schedule,

    .. math:: \epsilon_{k+1} = (1 \mp \gamma)\, \epsilon_k, \qquad
        r_{k+1} = \epsilon_{k+1} \frac{r_k + \alpha_k g}{\|r_k + \alpha_k g\|_2}

    Inside a box the paper clips what was scaled, so that the norm falls short of :math:`\epsilon`;
    here the scaling leaves the share of pixels at a wall to the others. Behind the boundary the
    norm shrinks from that of the smallest perturbation found. Pixels are not rounded unless
    ``levels`` says so.

    Args:
        steps: Forward and backward passes.
        gamma: Share by which the norm grows or shrinks.
        init_norm: Norm to begin with, in pixel units; it is the length of the first step, too.
        levels: Values that a pixel can take, 256 in the paper; ``None``: any.
        objective: The loss that is ascended. The cross-entropy has no gradient where logits are so far apart
            that their softmax is 0 or 1, and finds nothing there; ``Margin`` does.
        start: A search, in the same bounds, whose result is where the steps begin, with its norm; the
            input where it fails or where there is none.

    Raises:
        ValueError: A hyper-parameter has no meaning, levels are less than 2 or have no box to
            divide, or the start minimises another norm.

    References:
        Decoupling direction and norm for efficient gradient-based l2 adversarial attacks and defenses
        (Rony et al., 2019)

    Example:
        >>> network = torch.nn.Linear(2, 2)
        >>> _ = network.weight.data.copy_(torch.eye(2)), network.bias.data.zero_()
        >>> found = DDN()(network, torch.tensor([[0.8, 0.4]]), torch.tensor([0]))
        >>> round(found.size.item(), 2)  # 0.4 / sqrt(2)
        0.28
    """

    norm: Literal["l2"] = "l2"
    steps: int = 100
    gamma: float = 0.05
    init_norm: float = 1.0
    levels: int | None = None
    objective: Objective = field(default_factory=CrossEntropy)
    start: Minimal | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "steps", "init_norm")
        if not 0 < self.gamma < 1:
            raise ValueError(f"DDN: gamma must be a share between 0 and 1, not {self.gamma}.")
        if self.levels is not None and (self.levels < 2 or self.bounds is None):
            raise ValueError(f"DDN: levels must be at least 2 in a box, not {self.levels} in {self.bounds}.")
        if self.start is not None and self.start.norm != "l2":
            raise ValueError(f"DDN: start must minimise l2, not {self.start.norm}.")

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        best, rows = Best(inputs), torch.arange(len(inputs), device=inputs.device)
        x, eps = self._begin(network, inputs, goal, rng)
        # Where there is no prediction to leave, nothing counts, and any label has a loss.
        ascended = replace(goal, labels=goal.labels.clamp_min(0))
        for k in range(self.steps):
            logits, _, g = input_gradient(network, x, lambda z: self.objective(z, ascended))
            reached = self._judge(logits, x, inputs, goal, best, rows)
            g = steepest(g, "l2")
            alpha = self.init_norm * cosine(1.0, _LAST_STEP, k / self.steps)
            eps = torch.where(
                reached, (1 - self.gamma) * torch.minimum(eps, -best.score), (1 + self.gamma) * eps
            )
            x = self._point(inputs + scale_to(inputs, x + alpha * g - inputs, eps, self.bounds))
        with torch.no_grad():
            self._judge(network(x), x, inputs, goal, best, rows)
        return Perturbed(best.inputs, unmeasured(inputs))

    def _begin(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> tuple[Tensor, Tensor]:
        """The first points, and the norms to begin with."""
        x = inputs
        if self.start is not None:
            x = replace(self.start, bounds=self.bounds).search(network, inputs, goal, rng).inputs
        eps = norm(x - inputs, "l2")
        return x, torch.where(eps > 0, eps, self.init_norm)

    def _judge(
        self, logits: Tensor, x: Tensor, clean: Tensor, goal: Goal, best: Best, rows: Tensor
    ) -> Tensor:
        """Record what reaches the goal; ``(N,)`` whether it does."""
        reached = goal.reached(logits)
        best.update(rows, x, -norm(x - clean, "l2").masked_fill(~reached, torch.inf))
        return reached

    def _point(self, x: Tensor) -> Tensor:
        """Inside the box, on its levels if there are any."""
        if self.bounds is None:
            return x
        low, high = self.bounds
        if self.levels is not None:
            width = (high - low) / (self.levels - 1)
            x = low + width * ((x - low) / width).round()
        return x.clamp(low, high)
