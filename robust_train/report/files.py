"""``results.json``: everything that was measured, but for the single samples."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from robust_train.evaluation.results import RegimeResult, Results
from robust_train.report.atomic import write_text
from robust_train.report.plain_json import as_json

SCHEMA = 1
"""Version of the layout of the file; a change that readers would notice raises it."""


def write_json(results: Results, path: str | Path, training: float | None = None) -> None:
    """Write ``results.json``, as valid JSON: NaN becomes null, infinity the string ``inf``.

    Seconds have a place of their own, so that all the rest can be compared between two runs.

    Args:
        results: What was measured.
        path: The file.
        training: Seconds that the training took, where it was part of the run.

    Raises:
        OSError: The folder is missing or cannot be written.
    """
    timing: dict[str, Any] = {"seconds": {name: regime.seconds for name, regime in results.regimes.items()}}
    content = {
        "schema": SCHEMA,
        "clean_accuracy": asdict(results.clean_accuracy),
        **_present(false_positives=results.false_positives),
        "regimes": {name: _regime(regime) for name, regime in results.regimes.items()},
        "settings": results.settings,
        "warnings": results.warnings,
        "timing": timing if training is None else {"training": training, **timing},
    }
    write_text(path, as_json(content))


def read_json(path: str | Path) -> dict[str, Any]:
    """What ``write_json`` wrote, as plain values.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not a ``results.json`` of this version.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}): evaluate again to write it anew.") from None
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != SCHEMA:
        raise ValueError(f"{path} has schema {schema}, not {SCHEMA}: evaluate again to write it anew.")
    return dict(content)


def _regime(regime: RegimeResult) -> dict[str, Any]:
    return {
        "kind": regime.kind,
        "minimal": regime.minimal,
        "norm": regime.norm,
        "eps": regime.eps,
        "settings": regime.settings,
        "metrics": {name: asdict(estimate) for name, estimate in regime.metrics.items()},
        **_present(detection=regime.detection),
        "passes_per_sample": {"forward": regime.forwards, "backward": regime.backwards},
    }


def _present(**figures: Any) -> dict[str, Any]:
    """Those that only some networks have."""
    return {name: asdict(figure) for name, figure in figures.items() if figure is not None}
