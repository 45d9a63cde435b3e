"""``evaluate``: measure a network that exists already."""

import shlex
from argparse import Namespace
from pathlib import Path
from typing import Any

from robust_train.cli.command import device, results_folder
from robust_train.cli.cost import estimate_cost
from robust_train.cli.options import parse_options
from robust_train.cli.quiet import quiet
from robust_train.cli.repeated import compare
from robust_train.cli.subject import Subject, find_subject
from robust_train.cli.suites import build_suite, refuse_ignored
from robust_train.cli.words import allow_code
from robust_train.cli.writing import check_file_names, save_inputs, show, write_results
from robust_train.evaluation.evaluate import evaluate
from robust_train.evaluation.evaluator import Suite
from robust_train.recipe.names import CHECKPOINT
from robust_train.recipe.reading import dump

_GALLERY = 8  # samples whose pictures the page shows
_OVERRIDES = ("seed", "draws", "logits")


def run_evaluation(argv: list[str]) -> None:
    """Run ``evaluate``.

    Args:
        argv: The words after it.

    Raises:
        UserError: What they name is missing, damaged or does not fit.
    """
    quiet()
    options, fields = parse_options(argv)
    names = CHECKPOINT.allow(*allow_code(options.allow_code))
    subject = find_subject(options, fields, names)
    subject.data.prepare_data()
    suite, settings = build_suite(subject.robustness, names)
    if options.suite:
        refuse_ignored(subject.robustness)
    settings["device"] = device(options)
    if options.save_inputs:
        check_file_names(suite)
    settings |= {name: given for name in _OVERRIDES if (given := getattr(options, name)) is not None}
    with results_folder(options, f"{subject.name}-evaluation") as folder:
        settings["limit"] = _announce(subject, suite, settings, options)
        gallery = None if options.save_inputs else _GALLERY
        results = evaluate(subject.network, subject.data, suite, **settings, gallery=gallery)
        if options.save_inputs:
            results = save_inputs(results, folder / "inputs", _GALLERY)
        recipe = dump(_recipe(subject, argv))
        (folder / "evaluation.yaml").write_text(recipe, encoding="utf-8")
        write_results(results, folder, recipe)
    show(results)
    if options.checkpoint:
        print(compare(Path(options.checkpoint, "results.json"), folder / "results.json"))
    print(f"Wrote {folder}")


def _announce(subject: Subject, suite: Suite, settings: dict[str, Any], options: Namespace) -> int:
    """Say what it will cost, and how many samples there will be."""
    total = len(subject.data.test_set)
    limit = min(options.limit or settings.get("limit") or total, total)
    cost = estimate_cost(subject.network, subject.data, suite, **settings | {"limit": limit})
    if options.minutes:
        limit = min(limit, cost.affordable(options.minutes))
    print(cost.sentence(limit), flush=True)
    return limit


def _recipe(subject: Subject, argv: list[str]) -> dict[str, Any]:
    return {
        "command": shlex.join(["robust-train", "evaluate", *argv]),
        **subject.recipe,
        "robustness": subject.robustness,
    }
