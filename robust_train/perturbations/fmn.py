"""FMN: gradient steps in a ball whose radius follows the boundary."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robust_train.attacking.best import Best
from robust_train.attacking.box import movable, shorten_to
from robust_train.attacking.gradients import input_gradient
from robust_train.attacking.schedules import cosine
from robust_train.checks import check_positive
from robust_train.norms import DUAL, norm, steepest, unsqueeze_like
from robust_train.objectives import Margin
from robust_train.perturbations.base import Minimal, unmeasured
from robust_train.randomness import Streams
from robust_train.types import Goal, Network, Norm, Perturbed

_FIRST_STEP = {"linf": 1.0, "l2": 4.0, "l1": 0.5, "l0": 1.0}
_TIE = 1e-6  # of a size: of two finds that rounding alone tells apart, the first is kept
_LAST_STEP = 0.01  # of the cosine schedule, relative to the first


@dataclass(frozen=True, kw_only=True)
class FMN(Minimal):
    r"""Steps along the gradient, projected to a ball that shrinks behind the boundary and grows before it.

    With :math:`g` the gradient of the margin :math:`m`, q the dual norm of p, and
    :math:`\alpha_k, \gamma_k` on cosine schedules,

    .. math:: r_{k+1} = \Pi_{\epsilon_{k+1}}\big(r_k + \alpha_k\, g / \|g\|_2\big), \qquad
        \epsilon_{k+1} = \begin{cases}
            \min\big((1 - \gamma_k)\, \epsilon_k,\, \|r^*\|_p\big) & \text{behind the boundary} \\
            (1 + \gamma_k)\, \epsilon_k & \text{before it, once it was crossed} \\
            (1 + \gamma_k)\, (\|r_k\|_p + |m| / \|g\|_q) & \text{until then}
        \end{cases}

    In l0 the radius counts components: it starts at 1, doubles until the boundary is crossed, which
    the paper's share does too late, and then changes by 1 at the least.

    Pixels at a wall are left out of the gradient, so that they take part neither of the step nor of
    the estimate of the distance, and the projection is onto the ball and the box at once. Steps are
    relative to the radius, where the paper's are of one length for all samples, and radii change by more
    at first than its share of 0.05: both end at smaller perturbations. The paper's radius, without
    :math:`1 + \gamma_k`, creeps up to the boundary of a network that is not linear or reached at a wall,
    and may not cross it.

    Args:
        steps: Forward and backward passes.
        step_size: Length of the first step in l2, relative to the l2 norm that the ball allows: its
            radius, times :math:`\sqrt D` in linf; in l0, where a ball allows any, in pixel units. The last
            is a hundredth of it. By default 4 in l2, 1 in linf and l0, and 1/2 in l1, where long steps
            spread over many pixels.
        gamma: Share by which the radius changes at first.
        last_gamma: Share by which it changes in the end.

    References:
        Fast minimum-norm adversarial attacks through adaptive norm constraints (Pintor et al., 2021)

    Example:
        >>> network = torch.nn.Linear(2, 2)
        >>> _ = network.weight.data.copy_(torch.eye(2)), network.bias.data.zero_()
        >>> found = FMN(norm="linf")(network, torch.tensor([[0.8, 0.4]]), torch.tensor([0]))
        >>> round(found.size.item(), 2)  # 0.4 / 2
        0.2
    """

    norm: Norm = "l2"
    steps: int = 100
    step_size: float | None = None
    gamma: float = 0.1
    last_gamma: float = 0.001

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "steps", "step_size")
        for name, share in (("gamma", self.gamma), ("last_gamma", self.last_gamma)):
            if not 0 < share < 1:
                raise ValueError(f"FMN: {name} must be a share between 0 and 1, not {share}.")

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        best, rows = Best(inputs), torch.arange(len(inputs), device=inputs.device)
        x, eps = inputs, torch.ones_like(inputs.flatten(1)[:, 0])
        first = self.step_size or _FIRST_STEP[self.norm]
        for k in range(self.steps):
            alpha = cosine(first, first * _LAST_STEP, k / self.steps)
            gamma = cosine(self.gamma, self.last_gamma, k / self.steps)
            logits, m, g = input_gradient(network, x, lambda z: Margin()(z, goal))
            reached, size = goal.reached(logits), norm(x - inputs, self.norm)
            _record(best, rows, x, size, reached)
            g = movable(x, g, self.bounds)
            eps = self._radius(eps, gamma, reached, size, -best.score, m, g)
            r = x - inputs + unsqueeze_like(alpha * self._reach(eps, g), g) * steepest(g, "l2")
            x = inputs + shorten_to(inputs, r, self.norm, eps, self.bounds)
            x = x if self.bounds is None else x.clamp(*self.bounds)
        with torch.no_grad():
            reached = goal.reached(network(x))
        _record(best, rows, x, norm(x - inputs, self.norm), reached)
        return Perturbed(best.inputs, unmeasured(inputs))

    def _reach(self, eps: Tensor, g: Tensor) -> Tensor:
        """The largest l2 norm in balls of these radii, but no more than across all pixels."""
        if self.norm == "l0":
            return torch.ones_like(eps)
        across: float = g[0].numel() ** 0.5
        return (eps * across if self.norm == "linf" else eps).clamp_max(across)

    def _radius(
        self, eps: Tensor, gamma: float, reached: Tensor, size: Tensor, least: Tensor, m: Tensor, g: Tensor
    ) -> Tensor:
        """The next radii; ``least`` is the smallest size that reached the goal, inf where none did."""
        if self.norm == "l0":
            smaller = torch.minimum(torch.minimum(eps - 1, (eps * (1 - gamma)).floor()), least).clamp_min(0)
            larger = torch.where(least.isinf(), 2 * eps, torch.maximum(eps + 1, (eps * (1 + gamma)).floor()))
            return torch.where(reached, smaller, larger)
        distance = m.abs().nan_to_num() / norm(g, DUAL[self.norm]).clamp_min(1e-12)
        before = torch.where(least.isinf(), size + distance, eps)
        return torch.where(reached, torch.minimum((1 - gamma) * eps, least), (1 + gamma) * before)


def _record(best: Best, rows: Tensor, x: Tensor, size: Tensor, reached: Tensor) -> None:
    smaller = reached & (size < (1 - _TIE) * -best.score)
    best.update(rows, x, -size.masked_fill(~smaller, torch.inf))
