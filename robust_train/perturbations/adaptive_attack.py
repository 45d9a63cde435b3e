"""As strong as AutoAttack, for a fraction of the passes."""

from typing import Literal

from robust_train.objectives import Margin
from robust_train.perturbations.apgd import APGD
from robust_train.perturbations.square import Square
from robust_train.perturbations.worst_of import WorstOf

# Shares of the clean margin: what comes no nearer is hardly ever broken by more, or by long, runs.
_NEAR, _NEARER, _CLOSE = 0.5, 0.35, 0.1


def adaptive_attack(norm: Literal["linf", "l2"] = "linf", eps: float = 8 / 255) -> WorstOf:
    """Short runs for all, long ones for what they leave with a small margin.

    Ten steps on the cross-entropy break most of what can be broken, and fifteen on the margin to each
    of the three likeliest classes nearly all of the rest. More steps, towards a fourth class as well, are
    for the samples that came near, and long runs for those that came close. A short search on
    the scores alone, for all that stands, tells of networks whose gradients lead nowhere: where it
    breaks what the others left, only long ones can be trusted.

    Args:
        norm: Norm of the budget, linf or l2.
        eps: Budget, in pixel units.

    References:
        Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free
        attacks (Croce and Hein, 2020)
        Fast and reliable evaluation of adversarial robustness with minimum-margin attack (Gao et
        al., 2022)

    Example:
        >>> [type(member).__name__ for member in adaptive_attack(eps=0.1).members]
        ['APGD', 'APGD', 'APGD', 'APGD', 'Square']
    """
    return WorstOf(
        norm=norm,
        eps=eps,
        members=[
            APGD(norm=norm, eps=eps, steps=10),
            APGD(norm=norm, eps=eps, steps=15, objective=Margin(), targets=3),
            APGD(norm=norm, eps=eps, steps=25, objective=Margin(), targets=4),
            APGD(norm=norm, eps=eps, objective=Margin(), targets=4),
            Square(norm=norm, eps=eps, queries=50),
        ],
        reach=[float("inf"), _NEAR, _NEARER, _CLOSE, float("inf")],
    )
