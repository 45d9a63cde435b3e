"""Suites: what is measured, as evaluation recipes say."""

from inspect import signature
from pathlib import Path
from typing import Any

from robust_train.callbacks.robustness import Robustness
from robust_train.errors import UsageError, did_you_mean
from robust_train.evaluation.evaluator import Suite
from robust_train.recipe.building import build
from robust_train.recipe.checking import check_fields
from robust_train.recipe.names import Names
from robust_train.recipe.reading import read

_FOLDER = Path("recipes", "evaluation")
_SETTINGS = ("limit", "block", "seed")

_OF_TRAINER = ("autocast", "every_n_epochs", "gallery")

OF_NETWORK = ("draws", "mean", "std", "logits", "keys")
"""Settings that follow from the network and the data, whatever the regimes are."""


def read_suite(path: Path) -> dict[str, Any]:
    """The ``robustness`` section of a recipe.

    Raises:
        UserError: There is none.
    """
    section = read(path).get("robustness")
    if not isinstance(section, dict):
        raise UsageError(f"{path} is no suite: add 'robustness: {{regimes: ...}}' to it.")
    return section


def find_suite(name: str) -> Path:
    """A suite by its path, or by its name under ``recipes/evaluation``.

    Raises:
        UserError: There is none.
    """
    package = Path(__file__).parents[1]
    folders = [_FOLDER, package / _FOLDER, package.parent / _FOLDER]  # here, in a wheel, in a checkout
    for path in (Path(name), *(folder / f"{name}.yaml" for folder in folders)):
        if path.is_file():
            return path
    known = {path.stem for folder in folders for path in folder.glob("*.yaml")}
    hint = did_you_mean(name, known) or f" Give the path of a file, or one of: {', '.join(sorted(known))}."
    raise UsageError(f"There is no suite {name}.{hint}")


def build_suite(section: Any, names: Names) -> tuple[Suite, dict[str, Any]]:
    """The regimes of a ``robustness`` section, and what else of it an evaluation takes.

    Raises:
        UserError: Something in it is wrong.
    """
    checked = check_fields(section, Robustness, "robustness", names)
    if not checked.get("regimes"):
        raise UsageError("robustness.regimes is empty: name at least one perturbation.")
    settings = {name: checked[name] for name in (*_SETTINGS, *OF_NETWORK) if checked.get(name) is not None}
    return build(checked["regimes"], names), settings


def refuse_ignored(section: dict[str, Any]) -> None:
    """Notice settings that only a trainer takes.

    Raises:
        UserError: A ``robustness`` section changes one.
    """
    for name in _OF_TRAINER:
        default = signature(Robustness).parameters[name].default
        if section.get(name, default) != default:
            raise UsageError(
                f"robustness.{name} counts in the recipe of a training, not in a suite for evaluate: leave "
                "it out."
            )
