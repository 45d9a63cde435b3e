"""The words after ``fit``, made ready for Lightning's parser."""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from robust_train.cli.command import OneLineParser
from robust_train.cli.loggers import complete_loggers, keep_wandb_offline
from robust_train.cli.overrides import Overrides
from robust_train.cli.sections import read_training, refuse_secrets
from robust_train.recipe.names import RECIPE
from robust_train.recipe.reading import dump, number


@dataclass(frozen=True)
class Words:
    """A command line for training.

    Args:
        configs: Paths of the recipes, in their order.
        parsed: The same command line with the recipes read, checked and inlined.
    """

    configs: list[str]
    parsed: list[str]


def prepare(argv: list[str]) -> Words:
    """Read and check the recipes, wherever they stand between the other words.

    Later recipes win over earlier ones, single options over all of them.

    Raises:
        UserError: A recipe is wrong.
    """
    parser = OneLineParser("robust-train fit", add_help=False, allow_abbrev=False)
    parser.add_argument("-c", "--config", action="append", default=[])
    parser.add_argument("--allow-code", action="append", default=[])
    known, rest = parser.parse_known_args(argv)
    refuse_secrets(word.partition("=")[0] for word in rest if word.startswith("--"))
    names = RECIPE.allow(*allow_code(known.allow_code))
    recipes = [complete_loggers(read_training(path, names)) for path in known.config]
    keep_wandb_offline(recipes, rest)
    Overrides(rest, recipes, names).check()
    inlined = [f"--config={dump(recipe)}" for recipe in recipes]
    return Words(known.config, [*inlined, *map(number, rest)])


def allow_code(packages: Iterable[str]) -> tuple[str, ...]:
    """Packages that the command line trusts; what lies in the current folder can be imported."""
    packages = tuple(packages)
    if packages and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    return packages
