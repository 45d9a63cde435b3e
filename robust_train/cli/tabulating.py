"""``table``: train several recipes with several seeds, and put what they withstand into one table."""

import os
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from robust_train.cli.command import OneLineParser, command_parser
from robust_train.cli.folder import RUNS
from robust_train.cli.suites import find_suite, read_suite
from robust_train.cli.table_run import TableRun
from robust_train.errors import UsageError, UserError
from robust_train.report.atomic import write_text
from robust_train.report.conclusions import conclude
from robust_train.report.files import read_json
from robust_train.report.tabulation import tabulate

_EPILOG = """\
What is done already is not done again: after an interrupt, the same command goes on.

example:
  robust-train table recipes/digits/standard.yaml recipes/digits/*.yaml --seeds 3 --jobs 2 --out runs/digits
"""


def run_table(argv: list[str]) -> None:
    """Run ``table``.

    Args:
        argv: The words after it.

    Raises:
        UserError: What they name is missing, what is done is of another recipe or suite, or a recipe failed,
            after all others were done.
    """
    options = _parser().parse_intermixed_args(argv)
    if min(options.seeds, options.jobs) < 1:
        raise UsageError("--seeds and --jobs must be at least 1.")
    out, suite = Path(options.out), read_suite(find_suite(options.suite))
    recipes = _recipes(options.recipes)
    runs = [TableRun(r, seed, out, suite) for r in recipes for seed in range(options.seeds)]
    missing = [run for run in runs if not run.done]
    out.mkdir(parents=True, exist_ok=True)
    failures = _train(missing, options)
    results = {
        r.stem: [read_json(run.folder / "results.json") for run in runs if run.recipe == r and run.done]
        for r in recipes
    }
    if complete := {name: found for name, found in results.items() if found}:
        table = "\n".join(
            [tabulate(complete, options.seeds), "", *(f"- {one}" for one in conclude(complete))]
        )
        write_text(out / "table.md", table + "\n")
        print(table)
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
            raise UsageError(f"There is no recipe {recipe}: give the path of a YAML file.")
    if len({recipe.stem for recipe in recipes}) < len(recipes):
        raise UsageError("Two recipes have the same name: rows of the table are named after them.")
    return recipes


def _train(runs: list[TableRun], options: Namespace) -> list[str]:
    """Train and measure what is not done yet, so many at a time; a sentence for each that failed."""
    threads = max(1, (os.cpu_count() or 1) // options.jobs)
    environment = {"OMP_NUM_THREADS": str(threads)} | os.environ
    failures = []
    with ThreadPoolExecutor(options.jobs) as pool, tqdm(total=len(runs), desc="table", unit="run") as bar:
        try:
            for failure in pool.map(lambda run: run.fit(environment), runs):
                failures += [failure] if failure else []
                bar.update()
        except BaseException:
            pool.shutdown(cancel_futures=True)  # an interrupt starts no more of them
            raise
    return failures


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
