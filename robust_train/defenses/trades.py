"""TRADES: accuracy on clean inputs against a steady prediction around them."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from robust_train.attacking.gradients import input_gradient
from robust_train.attacking.modes import differentiable, evaluating, frozen
from robust_train.checks import check_positive
from robust_train.defenses.base import Defense, Step
from robust_train.defenses.divergence import divergence
from robust_train.defenses.schedule import Ramp, at, check_budget, check_schedule
from robust_train.norms import Ball, steepest
from robust_train.perturbations.admissible import check_batch
from robust_train.types import BallNorm, Network

_START = 0.001  # standard deviation: at the input itself the divergence has no slope


@dataclass(frozen=True)
class TRADES(Defense):
    r"""Train towards the labels on clean inputs, and towards the same prediction in a ball around them.

    .. math:: \min_\theta \frac{1}{n} \sum_i J(f(x_i), y_i) + \beta \max_{\|r\|_p \le \epsilon}
        \mathrm{KL}\big(f(x_i) \,\|\, f(x_i + r)\big)

    The inner maximisation, in single precision or better, sees the running statistics of batch
    normalisation and never moves them; the passes of the loss move them by the perturbed inputs first
    and the clean ones after.

    Args:
        eps: Budget, in pixel units; a ramp for one that grows.
        norm: Norm of the budget: linf, l2 or l1.
        steps: Gradient steps of the inner maximisation.
        step_size: Length of a step in the norm; by default ``2.5 * eps / steps``.
        beta: Weight of the divergence.

    Raises:
        ValueError: There is no ball of the norm, or a number has no meaning.

    References:
        Theoretically principled trade-off between robustness and accuracy (Zhang et al., 2019)

    Example:
        >>> defense = TRADES(eps=0.1, steps=5)
    """

    eps: float | Ramp = 8 / 255
    norm: BallNorm = "linf"
    steps: int = 10
    step_size: float | None = None
    beta: float = 6.0

    replaces_loss = True
    maximises = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_schedule(self, "eps")
        check_budget(self, self.eps, self.norm)
        check_positive(self, "steps", "step_size")
        check_positive(self, "beta", zero=True)

    def batch(self, network: Network, step: Step) -> Step:
        check_batch(step.clean, step.labels, (0.0, 1.0))
        eps = at(self.eps, step.progress)
        alpha = self.step_size or 2.5 * eps / self.steps
        ball = Ball.around(step.clean, self.norm, eps, (0.0, 1.0))
        x = step.clean + _START * step.rng.normal(tuple(step.clean.shape[1:]), step.clean)
        precise = torch.autocast(step.clean.device.type, enabled=False)
        with evaluating(network), frozen(network), differentiable(), precise:
            logits = network(step.clean)
            for _ in range(self.steps):
                g = input_gradient(network, x, lambda z: divergence(logits, z)).gradient
                x = ball.project(x + alpha * steepest(g, self.norm))
        return replace(step, inputs=ball.confine(x))

    def loss(self, network: Network, step: Step, loss: Tensor) -> Tensor:
        logits = network(step.clean)
        natural = cross_entropy(logits, step.targets, reduction="none")
        return natural + self.beta * divergence(logits, step.logits)
