"""What a run leaves in its folder."""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from safetensors.torch import save_file

from robust_train.errors import UsageError
from robust_train.evaluation.results import Results
from robust_train.recipe.names import RECIPE
from robust_train.report.files import write_json
from robust_train.report.page import write_page
from robust_train.report.samples import write_samples
from robust_train.report.table import table

_CLEAN = "clean"


def write_results(
    results: Results,
    folder: Path,
    recipe: str,
    history: Iterable[Mapping[str, Any]] | None = None,
    training: float | None = None,
) -> None:
    """Write ``results.json``, with the seconds of a training, ``samples.csv`` and ``report.html``."""
    write_samples(results, folder / "samples.csv")
    write_page(results, folder / "report.html", folder.name, history, recipe)
    write_json(results, folder / "results.json", training)


def save_inputs(results: Results, folder: Path, keep: int) -> Results:
    """Write every image, clean and perturbed, to a ``.safetensors`` file a regime.

    Args:
        results: With all images in its gallery.
        folder: To make and write.
        keep: How many images to leave in the gallery that is returned.
    """
    folder.mkdir()
    index = results.example_index.contiguous()
    pictures = {_CLEAN: results.examples} | {r.name: r.examples for r in results.regimes.values()}
    for name, images in pictures.items():
        save_file({"index": index, "images": images.contiguous()}, folder / f"{_slug(name)}.safetensors")
    regimes = {name: replace(r, examples=r.examples[:keep]) for name, r in results.regimes.items()}
    return replace(
        results, regimes=regimes, examples=results.examples[:keep], example_index=results.example_index[:keep]
    )


def check_file_names(regimes: Iterable[str]) -> None:
    """Notice regimes whose images would be written over each other.

    Raises:
        UserError: Two have the same file, or one that of the clean images.
    """
    files = [_slug(name) for name in (_CLEAN, *regimes)]
    twice = [name for name in files if files.count(name) > 1]
    if twice:
        raise UsageError(f"--save-inputs would write {twice[0]}.safetensors twice: rename a regime.")


def _slug(name: str) -> str:
    """A name that is a file of this folder, whatever is in it."""
    return re.sub(r"[^\w.-]", "_", name).lstrip(".") or "_"


def show(results: Results) -> None:
    """Print the table, as wide as the terminal."""
    from rich.console import Console

    Console().print(table(results))


def training_history(folder: Path) -> list[dict[str, str]]:
    """The rows of every ``metrics.csv`` of a run, those of its resumed parts in their order."""
    rows: list[dict[str, str]] = []
    for path in sorted(folder.glob("log*/metrics.csv"), key=lambda path: (len(path.parent.name), path)):
        with path.open(newline="", encoding="utf-8") as file:
            rows += csv.DictReader(file)
    return rows


def effective_recipe(parser: Any, config: Any) -> dict[str, Any]:
    """What a run really used: every field of what defines its numbers, the rest where not default."""
    full = config.as_dict()
    brief = yaml.safe_load(parser.dump(config, skip_default=True))
    defining = ("seed_everything", "from", "model", "data", "robustness")
    recipe = {key: full[key] for key in defining if full[key] is not None}
    return dict(_shorten({**recipe, "trainer": brief.get("trainer", {})}))


def _shorten(value: Any) -> Any:
    """The value with the short names of classes, where they are the names of the same."""
    if isinstance(value, list):
        return [_shorten(item) for item in value]
    if not isinstance(value, dict):
        return value
    short = {key: _shorten(item) for key, item in value.items()}
    if "class_path" in value:
        name = value["class_path"].rpartition(".")[2]
        short["class_path"] = name if RECIPE.means(name, value["class_path"]) else value["class_path"]
    return short
