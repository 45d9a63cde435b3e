"""What defines a perturbation, as plain values for files."""

import re
from dataclasses import fields
from typing import Any


def hyperparameters(value: Any) -> dict[str, Any]:
    """The fields of a dataclass by name; what was learnt is none of them.

    Example:
        >>> from robust_train.perturbations.fgsm import FGSM
        >>> hyperparameters(FGSM(eps=0.1))["objective"]
        {'kind': 'CrossEntropy'}
    """
    return {f.name: _plain(getattr(value, f.name)) for f in fields(value) if f.compare}


def _plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return {"kind": type(value).__name__, **hyperparameters(value)}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, (bool, int, float, str, type(None))):
        return value
    return re.sub(" at 0x[0-9a-fA-F]+", "", repr(value))  # an address is no property of a function
