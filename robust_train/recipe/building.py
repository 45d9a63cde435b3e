"""Objects made from checked recipes."""

from inspect import signature
from typing import Any

from robust_train.errors import UsageError
from robust_train.recipe.names import Names

_FETCHED = ("weights", "pretrained")


def build(value: Any, names: Names) -> Any:
    """The value with every ``{class_path, init_args}`` in it, at any depth, made into its object.

    Args:
        value: What ``check`` returned.
        names: What classes may be named.

    Raises:
        UserError: A class lacks an argument, or refuses one.

    Example:
        >>> names = Names(("robust_train.objectives",))
        >>> build([{"class_path": "Margin"}, 3], names)
        [Margin(), 3]
    """
    if isinstance(value, dict):
        parts = {key: build(item, names) for key, item in value.items()}
        made = "class_path" in value
        return _make(value["class_path"], parts.get("init_args") or {}, names) if made else parts
    if isinstance(value, list | tuple):
        return type(value)(build(item, names) for item in value)
    return value


def _make(name: str, fields: dict[str, Any], names: Names) -> Any:
    made = names.resolve(name)
    if made.__module__.startswith("torchvision."):
        # Weights come from a file that is checked; these would be fetched from the network.
        fields = {field: value for field, value in fields.items() if field not in _FETCHED}
    try:
        signature(made).bind(**fields)
    except TypeError as error:
        raise UsageError(f"{name}: {error}.") from None
    return made(**fields)
