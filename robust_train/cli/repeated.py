"""Whether a repeated evaluation gave the numbers that a checkpoint records."""

import math
from pathlib import Path
from typing import Any

from robust_train.report.files import read_json


def compare(recorded: Path, repeated: Path) -> str:
    """One sentence on two ``results.json`` files.

    Args:
        recorded: That of the checkpoint; it may be missing.
        repeated: That of this evaluation.
    """
    if not recorded.is_file():
        return f"There is no {recorded} to compare with."
    try:
        before, now = _figures(read_json(recorded)), _figures(read_json(repeated))
    except ValueError as error:
        return f"Nothing is compared: {error}"
    if _questions(before) != _questions(now):
        return (
            f"{recorded} answers other questions (regimes or number of samples), so nothing is compared: "
            "leave --suite, --limit and --minutes out for that."
        )
    differences = [
        f"{name} {now[name]['value']} here, {before[name]['value']} there"
        for name in now
        if not _same(now[name]["value"], before[name]["value"])
    ]
    if not differences:
        return f"The same numbers as in {recorded}."
    return f"Other numbers than in {recorded}: {'; '.join(differences)}."


def _figures(content: dict[str, Any]) -> dict[str, Any]:
    """Estimates by name, and the settings that they answer to."""
    figures = {"clean accuracy": {**content["clean_accuracy"], "settings": None}}
    for name, regime in content["regimes"].items():
        for metric, estimate in regime["metrics"].items():
            figures[f"{name} {metric}"] = {**estimate, "settings": regime["settings"]}
    return figures


def _questions(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: (figure["n"], figure["settings"]) for name, figure in figures.items()}


def _same(a: Any, b: Any) -> bool:
    return a == b or (all(isinstance(v, float) for v in (a, b)) and math.isclose(a, b, rel_tol=1e-6))
