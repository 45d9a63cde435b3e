"""Values that a field cannot take, refused in one sentence."""

from dataclasses import fields
from numbers import Integral
from typing import Any, Literal, get_args, get_origin

from robust_train.errors import did_you_mean


def check_choices(record: Any, **elsewhere: str) -> None:
    """Refuse a field whose value is none of those that its ``Literal`` hint lists.

    Args:
        record: A data class; fields that it sets by itself are not looked at, nor hints that are strings.
        elsewhere: By field, a sentence on who takes the other values, where no choice is near.

    Raises:
        ValueError: A value is none of the choices.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass
        ... class Search:
        ...     norm: Literal["linf", "l2", "l1"] = "l2"
        >>> check_choices(Search(norm="L2"))
        Traceback (most recent call last):
        ValueError: Search: norm must be linf, l2 or l1, not 'L2'. Did you mean l2?
    """
    for field in fields(record):
        if field.init and get_origin(field.type) is Literal:
            value, choices = getattr(record, field.name), get_args(field.type)
            if value not in choices:
                more = did_you_mean(value, choices) or elsewhere.get(field.name, "")
                raise ValueError(
                    f"{type(record).__name__}: {field.name} must be {_listed(choices)}, not {value!r}.{more}"
                )


def check_positive(record: Any, *names: str, zero: bool = False) -> None:
    """Refuse a field that is negative, NaN or no number at all, or zero without ``zero``; ``None`` passes.

    Nor does a fraction pass where the hint asks for an integer.

    Example:
        >>> from types import SimpleNamespace
        >>> check_positive(SimpleNamespace(steps=0), "steps")
        Traceback (most recent call last):
        ValueError: SimpleNamespace: steps must be positive, not 0.
    """
    for name in names:
        field, value = f"{type(record).__name__}: {name}", getattr(record, name)
        try:
            fine = value is None or (value >= 0 if zero else value > 0)
        except TypeError:
            raise TypeError(f"{field} must be a number, not {value!r}.") from None
        if not fine:
            raise ValueError(f"{field} must be {'at least 0' if zero else 'positive'}, not {value}.")
        if _counts(record, name):
            check_whole(field, value)


def check_whole(field: str, value: Any) -> None:
    """Refuse a fraction, and what is no number; ``None`` passes.

    Example:
        >>> check_whole("PGD: steps", 2.5)
        Traceback (most recent call last):
        TypeError: PGD: steps must be a whole number, not 2.5.
    """
    if not isinstance(value, Integral | None):
        raise TypeError(f"{field} must be a whole number, not {value!r}.")


def _counts(record: Any, name: str) -> bool:
    field = getattr(record, "__dataclass_fields__", {}).get(name)
    return field is not None and field.type in (int, int | None)


def _listed(words: tuple[str, ...]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last
