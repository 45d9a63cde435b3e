"""The standard suite of AutoAttack."""

from typing import Literal

from robust_train.objectives import DLR
from robust_train.perturbations.apgd import APGD
from robust_train.perturbations.fab import FAB
from robust_train.perturbations.square import Square
from robust_train.perturbations.worst_of import WorstOf


def auto_attack(norm: Literal["linf", "l2"] = "linf", eps: float = 8 / 255) -> WorstOf:
    """APGD on the cross-entropy and towards nine classes, FAB towards nine classes, and Square.

    Each member takes what the ones before it left standing, and lets a sample go as soon as it is
    fooled. ``adaptive_attack`` comes as far for a fraction of the passes.

    Args:
        norm: Norm of the budget, linf or l2.
        eps: Budget, in pixel units.

    References:
        Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free
        attacks (Croce and Hein, 2020)

    Example:
        >>> [type(member).__name__ for member in auto_attack(eps=0.1).members]
        ['APGD', 'APGD', 'FAB', 'Square']
    """
    return WorstOf(
        norm=norm,
        eps=eps,
        members=[
            APGD(norm=norm, eps=eps),
            APGD(norm=norm, eps=eps, objective=DLR(), targets=9),
            FAB(norm=norm, targets=9),
            Square(norm=norm, eps=eps),
        ],
    )
