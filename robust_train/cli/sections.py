"""What a recipe for training consists of."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytorch_lightning import Trainer

from robust_train.callbacks.robustness import Robustness
from robust_train.classifier import RobustClassifier
from robust_train.data.base import ImageData
from robust_train.errors import UsageError, UserError, did_you_mean
from robust_train.recipe.checking import check, check_fields, check_node
from robust_train.recipe.names import Names
from robust_train.recipe.reading import read

_FIXED = {"model": RobustClassifier, "trainer": Trainer, "robustness": Robustness}
SECTIONS: dict[str, type] = {**_FIXED, "data": ImageData}
"""The classes that the sections are about; data is one of its subclasses."""

_PLAIN = {
    "seed_everything": int | bool,
    "out": str | None,
    "from": str | None,
    "ckpt_path": str | None,
    "weights_only": bool | None,
    "verbose": bool,
}
_KNOWN = (*SECTIONS, *_PLAIN)
_SECRET = re.compile(r"api_?key|token$|passw|secret|credential", re.I)


def read_training(path: str | Path, names: Names) -> dict[str, Any]:
    """A recipe for training, checked, with the full names of its classes.

    Raises:
        UserError: It cannot be read, or something in it is wrong; the sentence says where.
    """
    try:
        recipe = read(path)
        refuse_secrets(_keys(recipe))
        return {k: _section(k, v, names) for k, v in recipe.items() if k != "checkpoint"}
    except UserError as error:
        message = str(error)
        raise type(error)(message if str(path) in message else f"{path}: {message}") from None


def refuse_secrets(keys: Iterator[str]) -> None:
    """Keys and tokens end up in logs and reports: they have no place in a recipe or a command.

    Example:
        >>> refuse_secrets(iter(["trainer.logger.api_key"]))
        Traceback (most recent call last):
        robust_train.errors.UsageError: trainer.logger.api_key looks like a secret, ...
    """
    for key in keys:
        if _SECRET.search(key):
            raise UsageError(f"{key} looks like a secret, which belongs into the environment or a login.")


def _section(key: str, value: Any, names: Names) -> Any:
    if key == "weights_only" and value is False:
        raise UsageError("weights_only: false would run code out of a checkpoint, and is never allowed.")
    if key in _FIXED:
        return check_fields(value, _FIXED[key], key, names)
    if key == "data":
        return check_node(value, ImageData, key, names)
    if key in _PLAIN:
        return check(value, _PLAIN[key], key, names)
    hint = did_you_mean(key, _KNOWN) or f" Its sections are {', '.join(_KNOWN)}."
    raise UsageError(f"A recipe has no section {key}.{hint}")


def _keys(value: Any, path: str = "") -> Iterator[str]:
    """Every key at any depth, as a path with dots."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield f"{path}{key}"
            yield from _keys(item, f"{path}{key}.")
    elif isinstance(value, list):
        for item in value:
            yield from _keys(item, path)
