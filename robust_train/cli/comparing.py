"""``compare``: several checkpoints, and what is made on each tried on all."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from robust_train import checkpoint
from robust_train.cli.command import (
    OneLineParser,
    add_common_options,
    command_parser,
    device,
    results_folder,
)
from robust_train.cli.quiet import quiet
from robust_train.cli.same_data import check_same_data
from robust_train.cli.subject import checkpoint_data
from robust_train.cli.suites import OF_NETWORK, build_suite, find_suite, read_suite
from robust_train.cli.words import allow_code
from robust_train.errors import UsageError
from robust_train.evaluation.lessons import learners, training_part
from robust_train.perturbations.base import Additive
from robust_train.recipe.names import CHECKPOINT, Names
from robust_train.report.comparison import verdict, warnings, write_comparison
from robust_train.studies.transfer import transfer

_EPILOG = """\
examples:
  robust-train compare checkpoints/digits-standard checkpoints/digits-adversarial
  robust-train compare checkpoints/digits-* --regime pgd --limit 100
"""


def run_comparison(argv: list[str]) -> None:
    """Run ``compare``.

    Args:
        argv: The words after it.

    Raises:
        UserError: What they name is missing, damaged or does not fit.
    """
    quiet()
    options = _parser().parse_args(argv)
    names = CHECKPOINT.allow(*allow_code(options.allow_code))
    folders = _folders(options.checkpoints)
    recipes = {title: checkpoint.read_recipe(folder) for title, folder in folders.items()}
    check_same_data(recipes, names)
    suite, settings = _suite(options, names)
    settings |= {"device": device(options), "draws": _draws(recipes)}
    networks = {title: checkpoint.load(folder, names) for title, folder in folders.items()}
    data = checkpoint_data(options.checkpoints[0], names)
    settings["training"] = training_part(data, data.test_set) if learners(suite.values()) else None
    with results_folder(options, "comparison") as folder:
        found = {
            name: transfer(networks, data.test_set, regime, name=name, **settings)
            for name, regime in suite.items()
        }
        write_comparison(found, folder, " and ".join(networks))
    print(verdict(found))
    for warning in warnings(found):
        print(f"! {warning}")
    print(f"Wrote {folder}")


def _folders(given: list[str]) -> dict[str, str]:
    """The folders by their names."""
    if len(given) < 2:
        raise UsageError("Name at least two checkpoint folders to compare.")
    short = [Path(folder).resolve().name for folder in given]
    titles = short if len(set(short)) == len(short) else given
    if len(set(titles)) < len(titles):
        raise UsageError("Name every checkpoint folder once.")
    return dict(zip(titles, given, strict=True))


def _draws(recipes: dict[str, dict[str, Any]]) -> dict[str, int]:
    """On how many draws of its noise each network is judged."""
    sections = {title: recipe.get("robustness") or {} for title, recipe in recipes.items()}
    for title, section in sections.items():
        for name in OF_NETWORK:
            if name != "draws" and section.get(name) is not None:
                raise UsageError(
                    f"compare tries every network on the images as they are, but the recipe of {title} has "
                    f"robustness.{name}: leave {title} out, and measure it by evaluate."
                )
    return {title: section.get("draws") or 1 for title, section in sections.items()}


def _suite(options: Namespace, names: Names) -> tuple[dict[str, Additive], dict[str, Any]]:
    """The additive regimes of the suite, or the one that is asked for, and its settings."""
    section = read_suite(find_suite(options.suite))
    suite, settings = build_suite(section, names)
    for name in sorted(settings.keys() & OF_NETWORK):
        raise UsageError(
            f"compare tries every network on the images as they are: leave {name} out of {options.suite}."
        )
    regimes = {name: regime for name, regime in suite.items() if isinstance(regime, Additive)}
    if options.regime:
        if options.regime not in regimes:
            known = ", ".join(regimes)
            raise UsageError(f"{options.suite} has no additive regime {options.regime}: it has {known}.")
        regimes = {options.regime: regimes[options.regime]}
    settings |= {"limit": options.limit} if options.limit else {}
    return regimes, settings


def _parser() -> OneLineParser:
    description = "Make perturbations on every network, try them on all, and write runs/comparison."
    parser = command_parser("compare", description, _EPILOG)
    add = parser.add_argument
    add("checkpoints", nargs="*", metavar="FOLDER", help="folders that fit wrote, two or more")
    add("--suite", default="quick", help="recipe with a robustness section, or the name of one")
    add("--regime", help="one regime of the suite; by default all that add to the image")
    add_common_options(parser, "measure")
    return parser
