"""What a suite may hold."""

from collections.abc import Mapping
from typing import Any

from robust_train.perturbations.base import Perturbation


def check_suite(suite: Any) -> None:
    """Refuse what are no regimes by name, before anything is computed.

    Args:
        suite: Perturbations by name, or callables ``(network, inputs, labels) -> inputs``.

    Raises:
        ValueError: It is no dictionary, or a regime is a class or can be no perturbation.

    Example:
        >>> check_suite({"darker": lambda network, inputs, labels: inputs / 2})
    """
    if not isinstance(suite, Mapping):
        raise ValueError(
            f"The suite is a {type(suite).__name__}: give a dictionary of regimes by name, such as "
            '{"pgd": PGD()}.'
        )
    for name, regime in suite.items():
        if isinstance(regime, type):
            raise ValueError(
                f"Regime {name} is the class {regime.__name__}: give an instance, {regime.__name__}(...)."
            )
        if not isinstance(regime, Perturbation) and not callable(regime):
            raise ValueError(
                f"Regime {name} is {regime!r}: give a perturbation, such as PGD(), or a callable "
                "(network, inputs, labels) -> inputs."
            )
