"""``report.html``: an evaluation on one page that needs nothing but itself."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from robust_train.evaluation.results import Results
from robust_train.report import wording
from robust_train.report.atomic import write_text
from robust_train.report.canvas import colour_name
from robust_train.report.catches import catches
from robust_train.report.dimension import dimension_curve
from robust_train.report.figures import accuracy_curve, size_histogram, training_curves
from robust_train.report.gallery import gallery
from robust_train.report.looks import looks
from robust_train.report.roc_curves import roc_curves
from robust_train.report.rows import rows
from robust_train.report.templates import render
from robust_train.report.verdict import contrast, verdict


def write_page(
    results: Results,
    path: str | Path,
    title: str,
    history: Iterable[Mapping[str, Any]] | None = None,
    recipe: str | None = None,
) -> None:
    """Write the page. It fetches nothing from elsewhere, and no name in it becomes markup.

    Args:
        results: What was measured.
        path: The file to write.
        title: Heading of the page.
        history: Rows of Lightning's ``metrics.csv``, for the training curves.
        recipe: Text of the recipe.

    Raises:
        OSError: The folder is missing or cannot be written.
    """
    figures = {
        "accuracy": accuracy_curve(results),
        "sizes": size_histogram(results),
        "roc": roc_curves(results),
        "dimension": dimension_curve(results),
        "training": training_curves(history or ()),
    }
    content = _content(results) | {"title": wording.plain(title), "recipe": recipe, "figures": figures}
    write_text(path, render("page.html.j2", content))


def _content(results: Results) -> dict[str, Any]:
    """What the template shows, spelt out."""
    return {
        "verdict": verdict(results),
        "contrast": contrast(results),
        "warnings": [wording.plain(warning) for warning in results.warnings],
        "rows": rows(results),
        "colours": {wording.plain(name): colour_name(look["color"]) for name, look in looks(results).items()},
        "gallery": gallery(results),
        "catches": catches(results),
        "settings": _spelt(results.settings),
        "regimes": [(r.name, wording.describe(r), _spelt(r.settings)) for r in results.regimes.values()],
    }


def _spelt(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and values; a mapping inside gives its own, with dots between."""
    pairs: list[tuple[str, str]] = []
    for name, value in settings.items():
        if isinstance(value, Mapping):
            pairs += [(f"{name}.{inner}", text) for inner, text in _spelt(value)]
        else:
            pairs.append((wording.plain(name), wording.plain(value)))
    return pairs
