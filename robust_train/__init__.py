"""Train robust image classifiers, and measure how robust any of them is.

The public names are those of the modules below, loaded when they are first used: the import
itself is instant, and a name costs what its own layer costs.
"""

from importlib import import_module
from typing import Any

# From the lightest to the heaviest, so that a name is found before Lightning is loaded for nothing.
_HOMES = (
    "types",
    "objectives",
    "transforms",
    "perturbations",
    "networks",
    "lipschitz",
    "metrics",
    "defenses",
    "data",
    "evaluation",
    "studies",
    "classifier",
    "callbacks",
)


def __getattr__(name: str) -> Any:
    if name == "__all__":  # asked for by a star import alone, which then loads everything
        return __dir__()
    if name == "__version__":
        return import_module("robust_train.version").version()
    if name in _HOMES:
        return import_module(f"robust_train.{name}")
    if not name.startswith("_"):
        for home in _HOMES:
            module = import_module(f"robust_train.{home}")
            if name in module.__all__:
                return getattr(module, name)
    raise AttributeError(f"module 'robust_train' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(name for home in _HOMES for name in import_module(f"robust_train.{home}").__all__)
