"""JSON that any reader accepts."""

import json
import math
from collections.abc import Mapping
from typing import Any


def as_json(content: Any) -> str:
    """The content as text; NaN becomes null, infinity the string ``inf``, and what has no type its words.

    Example:
        >>> print(as_json({"a": float("nan"), "b": float("inf")}), end="")
        {
          "a": null,
          "b": "inf"
        }
    """
    return json.dumps(_valid(content), indent=2, allow_nan=False) + "\n"


def _valid(value: Any) -> Any:
    """The value in JSON's own types; what has none is spelt out."""
    if isinstance(value, Mapping):
        return {str(key): _valid(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_valid(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
