"""The arguments of classes and functions, which are what a recipe sets."""

from collections.abc import Callable
from inspect import Parameter, isclass, signature
from typing import Any, get_type_hints

from robust_train.errors import UsageError, UserError, did_you_mean

_VARIADIC = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


def no_field(name: str, made: Callable[..., Any], key: str) -> UserError:
    """What to raise where a class has no field of that name."""
    fields = [field for field in fields_of(made) if isinstance(field, str)]
    more = did_you_mean(name, fields) or f" It has {', '.join(fields)}."
    return UsageError(f"{key}.{name}: {made.__name__} has no field {name}.{more}")


def fields_of(made: Callable[..., Any]) -> dict[Any, Any]:
    """Type hints of the arguments by name; the key ``...`` where any other name is taken too.

    Example:
        >>> def double(x: float) -> float: ...
        >>> fields_of(double)
        {'x': <class 'float'>}
    """
    fields: dict[Any, Any] = {}
    for function in _initialisers(made):
        hints, parameters = _hints(function), signature(function).parameters.values()
        named = {p.name: hints.get(p.name, Any) for p in parameters if p.kind not in _VARIADIC}
        fields = named | fields
        if Parameter.VAR_KEYWORD not in {p.kind for p in parameters}:
            break
    else:
        fields[...] = Any
    fields.pop("self", None)
    return fields


def _initialisers(made: Callable[..., Any]) -> list[Callable[..., Any]]:
    """What takes the arguments, from the class itself to its bases."""
    if not isclass(made):
        return [made]
    return [vars(base)["__init__"] for base in made.__mro__ if "__init__" in vars(base)]


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function)
    except NameError:  # a hint that exists for type checkers only
        return {}
