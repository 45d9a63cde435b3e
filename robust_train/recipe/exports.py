"""What a package exports."""

from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from inspect import isclass, isfunction
from typing import Any


@cache
def exports(package: str) -> dict[str, Callable[..., Any]]:
    """The public classes and functions of a package, by name.

    Helpers that look models up by name or weights on the network are not among torchvision's.
    """
    module = import_module(package)
    return {
        name: found for name, found in _public(module) if package != "torchvision.models" or _is_model(name)
    }


def _public(module: Any) -> Iterator[tuple[str, Any]]:
    top = module.__name__.partition(".")[0]
    for name in getattr(module, "__all__", dir(module)):
        found = getattr(module, name)
        ours = (isclass(found) or isfunction(found)) and found.__module__.partition(".")[0] == top
        if ours and not name.startswith("_"):
            yield name, found


def _is_model(name: str) -> bool:
    return not name.startswith(("get_", "list_")) and not name.endswith(("_Weights", "Weights"))
