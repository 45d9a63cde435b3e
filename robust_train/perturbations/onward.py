"""Whether a search goes on where nothing flags what it made any more."""

from robust_train.perturbations.base import Perturbation
from robust_train.perturbations.static import Static


def onward(perturbation: Perturbation) -> bool:
    """Whether it runs to its end, or does not know of the flag: what it makes tells of all thresholds.

    Example:
        >>> from robust_train.perturbations.pgd import PGD
        >>> onward(PGD()), onward(PGD(drop=False)), onward(Static(perturbation=PGD()))
        (False, True, True)
    """
    return isinstance(perturbation, Static) or getattr(perturbation, "drop", True) is False
