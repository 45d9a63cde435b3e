"""Recipes checked against the signatures of what they name, before anything is built."""

import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from inspect import isabstract, isclass
from typing import Any, Literal, Union, get_args, get_origin

from robust_train.errors import UsageError, UserError, did_you_mean
from robust_train.recipe.fields import fields_of, no_field
from robust_train.recipe.names import Names

_NODE = ("class_path", "init_args", "dict_kwargs")
_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", type(None): "null"}
_LISTS = (list, tuple, Iterable, Sequence)


def check(value: Any, expected: Any, key: str, names: Names) -> Any:
    """The value, as the type wants it: classes under full names, tuples where lists stand for them.

    Types that have no spelling in YAML are let through.

    Args:
        value: Plain values.
        expected: A type hint.
        key: Where in the recipe, for errors.
        names: What classes may be named.

    Raises:
        UserError: The value is of another type, or names a class or field that does not exist.

    Example:
        >>> check({"lr": "fast"}, float, "optimizer", Names(()))
        Traceback (most recent call last):
        robust_train.errors.UsageError: optimizer must be a number, not {'lr': 'fast'}.
    """
    origin, inner = get_origin(expected), get_args(expected)
    if origin in (Union, types.UnionType):
        return _check_union(value, inner, key, names)
    if origin is Literal:
        return _check_choice(value, inner, key)
    if origin in _LISTS or expected in _LISTS:
        return _check_list(value, origin or expected, inner, key, names)
    if origin in (dict, Mapping) or expected is dict:
        _require(value, isinstance(value, dict), key, "a mapping")
        return {k: check(v, inner[1] if inner else Any, f"{key}.{k}", names) for k, v in value.items()}
    if origin is Callable or expected is Callable:
        made = inner[1] if inner else object
        return check_node(value, made if isclass(made) else object, key, names)
    if expected in _WORDS:
        return _require(value, _is_plain(value, expected), key, _WORDS[expected])
    if expected is not Any and isclass(expected) and names.offers(expected):
        return check_node(value, expected, key, names)
    return _check_unknown(value, key, names)


def check_node(value: Any, base: type, key: str, names: Names) -> Any:
    """A class with its fields: ``{class_path: PGD, init_args: {eps: 8/255}}``, or its bare name.

    Where the type is a data class itself, its fields alone do: ``{start: 0.0, end: 0.1}``.
    """
    node = {"class_path": value} if isinstance(value, str) else value
    _require(value, isinstance(node, dict), key, f"a {base.__name__}: a class_path with its init_args")
    if is_dataclass(base) and not isabstract(base) and not node.keys() & set(_NODE):
        node = {"class_path": base.__name__, "init_args": node}  # a type that leaves no choice
    for name in node.keys() - set(_NODE):
        raise UsageError(f"{key} takes class_path and init_args, not {name}.{did_you_mean(name, _NODE)}")
    if "class_path" not in node:
        return node  # it changes fields of a class that another file names
    try:
        made = names.resolve(str(node["class_path"]), base)
    except UserError as error:
        raise UsageError(f"{key}: {error}") from None
    fields = check_fields(node.get("init_args") or {}, made, key, names)
    return {**node, "class_path": names.full(node["class_path"], base), "init_args": fields}


def check_fields(value: Any, made: Callable[..., Any], key: str, names: Names) -> dict[str, Any]:
    """The arguments of a class or function, by name."""
    _require(value, isinstance(value, dict), key, f"the fields of {made.__name__}")
    hints = fields_of(made)
    for name in value:
        if name not in hints and ... not in hints:
            raise no_field(name, made, key)
    return {name: check(item, hints.get(name, Any), f"{key}.{name}", names) for name, item in value.items()}


def _check_union(value: Any, options: tuple[Any, ...], key: str, names: Names) -> Any:
    if value is None and type(None) in options:
        return None
    errors = []
    options = tuple(sorted(options, key=lambda option: option is not type(value)))  # the exact type first
    for option in options:
        try:
            return check(value, option, key, names)
        except UserError as error:
            errors.append(error)
    structured = [(o, e) for o, e in zip(options, errors, strict=True) if _fits(value, o)]
    if structured and get_origin(structured[0][0]) is Literal:
        choices = [c for o, _ in structured if get_origin(o) is Literal for c in get_args(o)]
        return _check_choice(value, choices, key)
    if structured:
        raise structured[0][1]
    words = " or ".join(_WORDS.get(o, getattr(o, "__name__", str(o))) for o in options)
    raise UsageError(f"{key} must be {words}, not {value!r}.")


def _check_choice(value: Any, choices: Sequence[Any], key: str) -> Any:
    spelt = list(dict.fromkeys(map(str, choices)))
    more = "" if value in choices else did_you_mean(value, spelt)
    return _require(value, value in choices, key, f"one of {', '.join(spelt)}", more)


def _fits(value: Any, option: Any) -> bool:
    """Whether a value has the shape of an option, so that its error is the one that helps."""
    if isinstance(value, list):
        return get_origin(option) in _LISTS
    if isinstance(value, dict):
        return get_origin(option) in (dict, Callable) or (isclass(option) and option not in _WORDS)
    return get_origin(option) is Literal or (
        isinstance(value, str) and isclass(option) and get_origin(option) is None and option not in _WORDS
    )


def _check_list(value: Any, kind: Any, inner: tuple[Any, ...], key: str, names: Names) -> Any:
    _require(value, isinstance(value, list | tuple), key, "a list")
    if kind is tuple and inner and inner[-1] is not ...:
        _require(value, len(value) == len(inner), key, f"a list of {len(inner)}")
        return tuple(
            check(v, t, f"{key}[{k}]", names) for k, (v, t) in enumerate(zip(value, inner, strict=True))
        )
    items = [check(v, inner[0] if inner else Any, f"{key}[{k}]", names) for k, v in enumerate(value)]
    return tuple(items) if kind is tuple else items


def _check_unknown(value: Any, key: str, names: Names) -> Any:
    """A value of a type that cannot be told: anything but a class that may not be named."""
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_unknown(item, key, names)
    return (
        check_node(value, object, key, names) if isinstance(value, dict) and "class_path" in value else value
    )


def _is_plain(value: Any, expected: type) -> bool:
    if isinstance(value, bool):
        return expected is bool
    return isinstance(value, (int, float) if expected is float else expected)


def _require(value: Any, holds: bool, key: str, words: str, more: str = "") -> Any:
    if not holds:
        raise UsageError(f"{key} must be {words}, not {value!r}.{more}")
    return value
