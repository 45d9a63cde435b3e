"""Sigma-zero: descent on a smooth count of the components that change."""

from dataclasses import dataclass
from math import cos, pi
from typing import Literal

import torch
from torch import Tensor

from robust_train.attacking.best import Best
from robust_train.attacking.gradients import input_gradient
from robust_train.checks import check_positive
from robust_train.norms import norm, unsqueeze_like
from robust_train.perturbations.base import Minimal, unmeasured
from robust_train.randomness import Streams
from robust_train.types import Goal, Network, Perturbed

_BETA1, _BETA2 = 0.9, 0.999  # of Adam


@dataclass(frozen=True, kw_only=True)
class SigmaZero(Minimal):
    r"""Fewest components that change the label, by Adam on a smooth form of their count.

    .. math:: \min_r \; \max(\mathrm{margin}, 0)
        + \frac{1}{d} \sum_i \frac{r_i^2}{r_i^2 + \sigma}

    The gradient of each sample is scaled to unit linf norm. After a step, components smaller than
    :math:`\tau` are set to zero: the threshold rises by ``threshold_step`` times the step size
    where the label changes and falls by it where it does not. The fewest components that were
    seen to change the label count.

    Args:
        steps: Passes, forward and backward; 1000 find fewer components than the default.
        step_size: First step, in pixel units; it falls along a cosine to a tenth.
        sigma: Sharpness of the smooth count, in squared pixel units.
        threshold: First :math:`\tau`, in pixel units.
        threshold_step: Change of the threshold, as a share of the step size.

    References:
        Sigma-zero: gradient-based optimization of l0-norm adversarial examples (Cina et al., 2025)

    Example:
        >>> network = torch.nn.Linear(3, 2)
        >>> _ = network.weight.data.copy_(torch.tensor([[4.0, 2.0, 1.0], [0.0, 0.0, 0.0]]))
        >>> _ = network.bias.data.copy_(torch.tensor([0.0, 2.5]))
        >>> SigmaZero()(network, torch.ones(1, 3), torch.tensor([0])).size  # 7 - 4 - 2 < 2.5
        tensor([2.], dtype=torch.float64)
    """

    norm: Literal["l0"] = "l0"
    steps: int = 100
    step_size: float = 1.0
    sigma: float = 1e-3
    threshold: float = 0.3
    threshold_step: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "steps", "step_size", "sigma", "threshold_step")
        check_positive(self, "threshold", zero=True)

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        best, rows = Best(inputs), torch.arange(len(inputs), device=inputs.device)
        r, m, v = (torch.zeros_like(inputs) for _ in range(3))
        tau, eta = inputs.new_full((len(inputs),), self.threshold), self.step_size
        for step in range(self.steps):
            x = inputs + r
            logits, _, g = input_gradient(network, x, lambda logits: goal.margin(logits).clamp_min(0))
            reached = goal.reached(logits)
            best.update(rows, x, (-norm(x - inputs, "l0")).masked_fill(~reached, -torch.inf))
            g = _unit(g + self._slope(r))
            m, v = m.lerp_(g, 1 - _BETA1), v.mul_(_BETA2).addcmul_(g, g, value=1 - _BETA2)
            r = self._inside(inputs, r - eta * _debiased(m, v, step + 1))
            eta = self.step_size * (0.1 + 0.45 * (1 + cos(pi * step / self.steps)))
            tau = (tau + torch.where(reached, 1, -1) * self.threshold_step * eta).clamp(0, 1)
            r = r.masked_fill_(r.abs() < unsqueeze_like(tau, r), 0)
        return Perturbed(best.inputs, unmeasured(inputs))

    def _slope(self, r: Tensor) -> Tensor:
        """Gradient of the smooth count."""
        return 2 * self.sigma / r[:1].numel() * r / (r.square() + self.sigma).square()

    def _inside(self, inputs: Tensor, r: Tensor) -> Tensor:
        return r if self.bounds is None else (inputs + r).clamp_(*self.bounds).sub_(inputs)


def _unit(g: Tensor) -> Tensor:
    return g / unsqueeze_like(norm(g, "linf").clamp_min(1e-12), g)


def _debiased(m: Tensor, v: Tensor, step: int) -> Tensor:
    """Adam's direction after that many steps."""
    scale = (1 - _BETA2**step) ** 0.5
    return (m / (v.sqrt().div_(scale).add_(1e-8))).div_(1 - _BETA1**step)
