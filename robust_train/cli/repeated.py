"""Whether a repeated evaluation gave the numbers that a checkpoint records."""

import math
from pathlib import Path
from typing import Any

from robust_train.report.files import read_json

_SETTINGS = ("seed", "draws", "subset", "block", "precision")


def compare(recorded: Path, repeated: Path) -> str:
    """One sentence on two ``results.json`` files.

    Args:
        recorded: That of the checkpoint; it may be missing.
        repeated: That of this evaluation.
    """
    if not recorded.is_file():
        return f"There is no {recorded} to compare with."
    try:
        contents = read_json(recorded), read_json(repeated)
    except ValueError as error:
        return f"Nothing is compared: {error}"
    before, now = map(_figures, contents)
    was, asked = map(_questions, contents)
    other = [name for name in asked if was[name] != asked[name]]
    if other:
        return (
            f"{recorded} answers other questions ({', '.join(other)}), so nothing is compared: leave "
            "--suite, --limit, --minutes, --seed and --draws out for that."
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


def _questions(content: dict[str, Any]) -> dict[str, Any]:
    """What defines the figures, by name."""
    answered = {name: (figure["n"], figure["settings"]) for name, figure in _figures(content).items()}
    settings = content.get("settings", {})
    return {"regimes or number of samples": answered} | {name: settings.get(name) for name in _SETTINGS}


def _same(a: Any, b: Any) -> bool:
    return a == b or (all(isinstance(v, float) for v in (a, b)) and math.isclose(a, b, rel_tol=1e-6))
