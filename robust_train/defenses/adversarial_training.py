"""Adversarial training: min-max."""

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Literal

from robust_train.attacking.modes import evaluating, untouched
from robust_train.defenses.base import Defense, Step
from robust_train.defenses.schedule import Ramp, at, check_schedule, ends
from robust_train.perturbations.base import Budgeted, Perturbation, check_fitted
from robust_train.perturbations.pgd import PGD
from robust_train.types import Network


@dataclass(frozen=True)
class AdversarialTraining(Defense):
    r"""Train on what a perturbation makes of the batch: the review's eq. 9.

    .. math:: \min_\theta \frac{1}{n} \sum_i \max_{\|r\|_p \le \epsilon} J(\theta, x_i + r, y_i)

    The running statistics of batch normalisation never move during the inner maximisation.

    ``PGD`` makes it the training of Madry et al.; ``FGSM`` the alternation of Shaham et al., in which one
    step of ascent, to the edge of the ball, and one of descent take turns.

    On a linear network of two classes, where no pixel is near the walls, the maximum takes
    :math:`\epsilon \|w\|_q` with :math:`1/p + 1/q = 1` from the lead :math:`y_i f(x_i)` of every label.
    With the hinge, which is ``MarginLoss(eps=0.5**0.5)`` at a temperature near 0, this is the robust
    support vector machine.

    Args:
        perturbation: The inner maximisation, run to its end on every sample. A minimal one trains
            on points just behind the boundary.
        eps: Budget in place of the perturbation's own, in pixel units; a ramp for one that grows.
        mode: Which statistics the inner maximisation sees: the running ones of ``eval``, or those
            of the batch.

    Raises:
        ValueError: The perturbation has to learn, or eps is given and it has no budget.

    References:
        Understanding adversarial training: increasing local stability of neural nets through robust
        optimization (Shaham, Yamada and Negahban, 2015)
        Towards deep learning models resistant to adversarial attacks (Madry et al., 2018)
        Robustness and regularization of support vector machines (Xu, Caramanis and Mannor, 2009)

    Example:
        >>> defense = AdversarialTraining(PGD(eps=0.1, steps=5), eps=Ramp(0.0, 0.1, until=0.3))
    """

    perturbation: Perturbation = field(default_factory=lambda: PGD(steps=10))
    eps: float | Ramp | None = None
    mode: Literal["eval", "train"] = "eval"

    maximises = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fitted(self, self.perturbation)
        check_schedule(self, "eps", zero=True)
        if self.eps is not None:
            if not isinstance(self.perturbation, Budgeted):
                kind = type(self.perturbation).__name__
                raise ValueError(f"{type(self).__name__}: {kind} has no budget: leave eps out.")
            for eps in ends(self.eps):
                replace(self.perturbation, eps=eps)  # which refuses what it cannot search

    def batch(self, network: Network, step: Step) -> Step:
        perturbation = self.perturbation.maximising()
        if self.eps is not None and isinstance(perturbation, Budgeted):
            perturbation = replace(perturbation, eps=at(self.eps, step.progress))
        with ExitStack() as modes:
            modes.enter_context(evaluating(network) if self.mode == "eval" else untouched(network))
            inputs = perturbation(network, step.inputs, step.labels, rng=step.rng).inputs
        return replace(step, inputs=inputs)
