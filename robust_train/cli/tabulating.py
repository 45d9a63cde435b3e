"""``table``: train several recipes with several seeds, and put what they withstand into one table."""

import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

from tqdm import tqdm

from robust_train.cli.command import OneLineParser, command_parser
from robust_train.cli.folder import RUNS
from robust_train.cli.suites import find_suite, read_suite
from robust_train.errors import UserError
from robust_train.recipe.reading import dump
from robust_train.report.atomic import write_text
from robust_train.report.files import read_json
from robust_train.report.tabulation import PUBLISHED, tabulate

_EPILOG = """\
What is done already is not done again: after an interrupt, the same command goes on.

example:
  robust-train table recipes/digits/standard.yaml recipes/digits/*.yaml --seeds 3 --jobs 2 --out runs/digits
"""
_TAIL = 500  # characters of what a failed run printed


@dataclass(frozen=True)
class _Run:
    """One recipe with one seed, in the folder ``<out>/<recipe>/<seed>``."""

    recipe: Path
    seed: int
    folder: Path

    @property
    def done(self) -> bool:
        return (self.folder / "results.json").is_file()


def run_table(argv: list[str]) -> None:
    """Run ``table``.

    Args:
        argv: The words after it.

    Raises:
        UserError: What they name is missing, or a recipe failed, after all others were done.
    """
    options = _parser().parse_intermixed_args(argv)
    if min(options.seeds, options.jobs) < 1:
        raise UserError("--seeds and --jobs must be at least 1.", 2)
    out, suite = Path(options.out), read_suite(find_suite(options.suite))
    recipes = _recipes(options.recipes)
    runs = [_Run(r, seed, out / r.stem / str(seed)) for r in recipes for seed in range(options.seeds)]
    out.mkdir(parents=True, exist_ok=True)
    failures = _train([run for run in runs if not run.done], suite, options)
    results = {
        r.stem: [read_json(run.folder / "results.json") for run in runs if run.recipe == r and run.done]
        for r in recipes
    }
    if complete := {name: found for name, found in results.items() if found}:
        write_text(out / "table.md", tabulate(complete) + "\n")
        print(tabulate(complete))
        print(f"Wrote {out / 'table.md'}")
    if failures:
        raise UserError("; ".join(failures))


def _recipes(paths: list[str]) -> list[Path]:
    """The recipes, each once.

    Raises:
        UserError: One is missing, or two have the same name.
    """
    recipes = list(dict.fromkeys(map(Path, paths)))
    for recipe in recipes:
        if not recipe.is_file():
            raise UserError(f"There is no recipe {recipe}.", 2)
    if len({recipe.stem for recipe in recipes}) < len(recipes):
        raise UserError("Two recipes have the same name: rows of the table are named after them.", 2)
    return recipes


def _train(runs: list[_Run], suite: dict[str, Any], options: Namespace) -> list[str]:
    """Train and measure what is not done yet, so many at a time; a sentence for each that failed."""
    threads = max(1, (os.cpu_count() or 1) // options.jobs)
    environment = {"OMP_NUM_THREADS": str(threads)} | os.environ
    failures = []
    with ThreadPoolExecutor(options.jobs) as pool, tqdm(total=len(runs), desc="table", unit="run") as bar:
        try:
            for failure in pool.map(lambda run: _fit(run, suite, environment), runs):
                failures += [failure] if failure else []
                bar.update()
        except BaseException:
            pool.shutdown(cancel_futures=True)  # an interrupt starts no more of them
            raise
    return failures


def _fit(run: _Run, suite: dict[str, Any], environment: dict[str, str]) -> str | None:
    """Fit in a process of its own, beside its final folder, which is there only if it is whole."""
    partial, settings = run.folder.with_name(f".{run.seed}"), run.folder.with_name("suite.yaml")
    rmtree(partial, ignore_errors=True)
    run.folder.parent.mkdir(parents=True, exist_ok=True)
    write_text(settings, dump({"robustness": _with_published(suite, run.recipe)}))
    words = [f"--config={run.recipe}", f"--config={settings}", f"--out={partial}", *_quiet(run.seed)]
    done = subprocess.run(
        [sys.executable, "-m", "robust_train", "fit", *words],
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        return f"{run.recipe} with seed {run.seed} failed: {done.stderr.strip()[-_TAIL:]}"
    partial.rename(run.folder)
    return None


def _with_published(suite: dict[str, Any], recipe: Path) -> dict[str, Any]:
    """The suite, and the regime that the recipe itself calls published."""
    regimes = read_suite(recipe).get("regimes") or {}
    published = {PUBLISHED: regimes[PUBLISHED]} if PUBLISHED in regimes else {}
    return {**suite, "regimes": {**suite["regimes"], **published}}


def _quiet(seed: int) -> Iterator[str]:
    yield from (f"--seed_everything={seed}", f"--model.seed={seed}", "--robustness.bar=false")
    yield from (f"--trainer.enable_{part}=false" for part in ("progress_bar", "model_summary"))


def _parser() -> OneLineParser:
    description = "Train recipes with several seeds, measure all by one suite, and write one table."
    parser = command_parser("table", description, _EPILOG)
    add = parser.add_argument
    add("recipes", nargs="+", metavar="FILE", help="recipes of fit; times are multiples of the first one's")
    add("--suite", default="table", help="recipe with a robustness section, or the name of one")
    add("--seeds", type=int, default=3, metavar="N", help="train each with the seeds 0 to N - 1 (default: 3)")
    add(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="so many at a time, which share the cores (default: 1)",
    )
    add(
        "--out",
        default=str(RUNS / "table"),
        metavar="DIR",
        help="folder to write, or to go on in (default: runs/table)",
    )
    return parser
