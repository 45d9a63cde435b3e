"""``studies.html`` and ``studies.json``: what studies of one network found."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from robust_train.metrics.estimate import Estimate
from robust_train.report import wording
from robust_train.report.atomic import write_text
from robust_train.report.axis import logarithmic
from robust_train.report.canvas import SERIES, Canvas
from robust_train.report.plain_json import as_json
from robust_train.report.templates import render
from robust_train.studies.finding import Curves, Finding, Grid


def write_findings(findings: Mapping[str, Finding], folder: Path, title: str) -> None:
    """Write both files.

    Raises:
        OSError: The folder is missing or cannot be written.
    """
    content = {name: asdict(finding) for name, finding in findings.items()}
    write_text(folder / "studies.json", as_json(content))
    write_text(folder / "studies.html", page(findings, title))


def page(findings: Mapping[str, Finding], title: str) -> str:
    """The page alone."""
    studies: list[dict[str, Any]] = [
        {
            "name": wording.plain(name),
            "summary": wording.plain(finding.summary),
            "figures": [_drawn(figure) for figure in finding.figures],
            "settings": [(wording.plain(k), _spelt(v)) for k, v in finding.settings.items()],
        }
        for name, finding in findings.items()
    ]
    verdict = " ".join(study["summary"] for study in studies[:1])
    return render("findings.html.j2", {"title": wording.plain(title), "verdict": verdict, "studies": studies})


def _drawn(figure: Curves | Grid) -> dict[str, Any]:
    if isinstance(figure, Curves):
        return {"kind": "curves", "svg": _curves(figure)}
    plain = wording.plain
    directions = ((figure.row_label, "\N{DOWNWARDS ARROW}"), (figure.column_label, "\N{RIGHTWARDS ARROW}"))
    return {
        "kind": "grid",
        "title": plain(figure.title),
        "corner": " ".join(
            f"{plain(label)}\N{NO-BREAK SPACE}{arrow}" for label, arrow in directions if label
        ),
        "columns": [plain(name) for name in figure.columns],
        "rows": [
            (plain(name), [_cell(figure, estimate) for estimate in cells])
            for name, cells in zip(figure.rows, figure.values, strict=True)
        ],
    }


def _cell(figure: Grid, estimate: Estimate) -> dict[str, str]:
    """Its text, and how deep it is coloured; the interval where there is room for it."""
    ends = wording.interval(estimate, figure.shares)
    return {
        "text": wording.percent(estimate.value) if figure.shares else _number(estimate.value),
        "depth": f"{65 * abs(estimate.value):.0f}" if math.isfinite(estimate.value) else "0",
        "sign": "minus" if estimate.value < 0 else "",
        "range": "" if len(figure.rows) > 1 or ends == wording.NOTHING else ends,
        "n": f"n = {estimate.n}",
    }


def _number(value: float) -> str:
    """A number between -1 and 1."""
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}") if math.isfinite(value) else wording.NOTHING


def _spelt(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else wording.plain(value)


def _curves(figure: Curves) -> str:
    canvas = Canvas(figure.title)
    for k, (name, points) in enumerate(figure.series.items()):
        x, values = [x for x, _ in points], [e.value for _, e in points]
        color = SERIES[k % len(SERIES)]
        (line,) = canvas.axes.plot(x, values, marker="o", markersize=4, color=color)
        if all(math.isfinite(e.low) and math.isfinite(e.high) for _, e in points):
            canvas.axes.fill_between(
                x, [e.low for _, e in points], [e.high for _, e in points], color=color, alpha=0.15
            )
        canvas.entry(line, wording.plain(name))
    if figure.logarithmic:
        places = [x for points in figure.series.values() for x, _ in points]
        logarithmic(canvas.axes, min(places) / 1.2, 1.2 * max(places))
    canvas.axes.set_xlabel(figure.x_label, parse_math=False)
    canvas.axes.set_ylabel(figure.y_label, parse_math=False)
    return canvas.svg()
