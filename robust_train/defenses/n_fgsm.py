"""N-FGSM: one gradient step from a noisy input, not projected."""

from dataclasses import dataclass, replace
from typing import Literal

from torch.nn.functional import cross_entropy

from robust_train.attacking.gradients import input_gradient
from robust_train.attacking.modes import differentiable, evaluating, frozen, untouched
from robust_train.checks import check_positive
from robust_train.defenses.base import Defense, Step
from robust_train.defenses.schedule import Ramp, at, check_budget, check_schedule
from robust_train.perturbations.admissible import check_batch
from robust_train.types import Network


@dataclass(frozen=True)
class NFGSM(Defense):
    r"""Train on one gradient step from an input with noise around it, without a way back to the ball.

    .. math:: \eta \sim U(-k \epsilon, k \epsilon), \qquad
        r = \eta + \alpha\, \mathrm{sign} \nabla_x J(\theta, x + \eta, y)

    Noise and step are clipped to [0, 1] and to nothing else, so that r may be as long as
    :math:`k \epsilon + \alpha`: to project it to the ball would shorten it, and single steps that are
    short invite catastrophic overfitting, where a network stands against single steps alone. Late in a
    long training it can happen all the same. The running statistics of batch normalisation never move
    during the step, as they do in the authors' code.

    Args:
        eps: Budget that the training is for, in pixel units; a ramp for one that grows.
        noise: Half-width of the noise as a multiple of eps, k. The paper takes 2, and 4 for a large eps.
        step_size: Length of the step as a multiple of eps.
        mode: Which statistics the step sees: the running ones of ``eval``, or those of the batch.

    Raises:
        ValueError: A number has no meaning.

    References:
        Make some noise: reliable and efficient single-step adversarial training (de Jorge et al., 2022)

    Example:
        >>> defense = NFGSM(eps=0.1)
    """

    eps: float | Ramp = 8 / 255
    noise: float = 2.0
    step_size: float = 1.0
    mode: Literal["eval", "train"] = "eval"

    maximises = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_schedule(self, "eps")
        check_budget(self, self.eps)
        check_positive(self, "step_size")
        check_positive(self, "noise", zero=True)

    def batch(self, network: Network, step: Step) -> Step:
        x, y = step.inputs, step.labels
        check_batch(x, y, (0.0, 1.0))
        eps = at(self.eps, step.progress)
        seen = evaluating(network) if self.mode == "eval" else untouched(network)
        eta = self.noise * eps * (2 * step.rng.uniform(tuple(x.shape[1:]), x) - 1)
        start = (x + eta).clamp(0, 1)
        with seen, frozen(network), differentiable():
            g = input_gradient(network, start, lambda z: cross_entropy(z, y, reduction="none")).gradient
        return replace(step, inputs=(start + self.step_size * eps * g.sign()).clamp(0, 1))
