"""One table of several recipes, each trained with several seeds: a row a recipe, a column a regime."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from robust_train.report import wording

STRONGEST, PUBLISHED = "strongest", "published"
"""Regimes with a part of their own: the gap between them is what the published attack did not see."""

Runs = Mapping[str, Sequence[Mapping[str, Any]]]
"""What ``results.json`` of every seed holds, by the name of the recipe."""


def tabulate(runs: Runs, seeds: int = 1) -> str:
    """The table in Markdown: means over the seeds, with the standard deviation where there are several.

    The columns are the clean accuracy, the headline of every regime (robust accuracy, or median size), the
    robust accuracy under ``published`` minus that under ``strongest`` where both have one budget in one
    norm, and the seconds of training as a multiple of those of the first recipe.

    Args:
        runs: At least one recipe, each with at least one seed.
        seeds: How many there should be; a row of fewer says so, and so does one of other numbers of images.

    Example:
        >>> share = {"value": 0.5, "n": 450}
        >>> regime = {"minimal": False, "metrics": {"robust_accuracy": share}}
        >>> run = {"clean_accuracy": share, "regimes": {"pgd": regime}, "timing": {"training": 2.0}}
        >>> print(tabulate({"standard": [run], "twice": [{**run, "timing": {"training": 4.0}}]}))
        | recipe | clean, % | pgd, % | gap | time |
        |---|--:|--:|--:|--:|
        | standard | 50.0 | 50.0 |  | 1.0 |
        | twice | 50.0 | 50.0 |  | 2.0 |
    """
    first = next(iter(runs.values()))
    names = [name for name in first[0]["regimes"] if name != PUBLISHED]
    minimal = [first[0]["regimes"][name]["minimal"] for name in names]
    heads = ["clean, %", *(n if m else f"{n}, %" for n, m in zip(names, minimal, strict=True)), "gap", "time"]
    lines = [_line(["recipe", *heads]), "|---|" + "--:|" * len(heads)]
    base, samples = statistics.median(map(_seconds, first)), _samples(first)
    for recipe, results in runs.items():
        lines.append(_row(_name(recipe, results, seeds, samples), results, names, minimal, base))
    return "\n".join(lines)


def _row(
    name: str, results: Sequence[Mapping[str, Any]], regimes: list[str], minimal: list[bool], base: float
) -> str:
    """The figures of one recipe."""
    clean = _figure([run["clean_accuracy"]["value"] for run in results], size=False)
    figures = [
        _figure([headline(run, regime) for run in results], size)
        for regime, size in zip(regimes, minimal, strict=True)
    ]
    time = statistics.median(map(_seconds, results)) / base
    return _line([name, clean, *figures, _gap(results), f"{time:.1f}"])


def _name(recipe: str, results: Sequence[Mapping[str, Any]], seeds: int, samples: int) -> str:
    """The recipe, and what there is less of than in other rows."""
    less = [f"{len(results)} of {seeds} seeds"] if len(results) < seeds else []
    less += [f"{_samples(results)} images"] if _samples(results) != samples else []
    return f"{recipe} ({', '.join(less)})" if less else recipe


def _samples(results: Sequence[Mapping[str, Any]]) -> int:
    return min(int(run["clean_accuracy"]["n"]) for run in results)


def headline(run: Mapping[str, Any], name: str) -> float:
    """The figure that a regime is about; NaN where the run has no such regime."""
    regime = run["regimes"].get(name)
    if regime is None:
        return math.nan
    value = regime["metrics"]["median_size" if regime["minimal"] else "robust_accuracy"]["value"]
    return math.nan if value is None else float(value)


def _gap(results: Sequence[Mapping[str, Any]]) -> str:
    """Points of robust accuracy that the published attack left and the strongest took."""
    if not all(map(comparable, results)):
        return ""
    return _figure([headline(run, PUBLISHED) - headline(run, STRONGEST) for run in results], size=False)


def comparable(run: Mapping[str, Any]) -> bool:
    """Whether both regimes are there, and ask for the same: a label within one budget in one norm."""
    published, strongest = (run["regimes"].get(name) for name in (PUBLISHED, STRONGEST))
    if published is None or strongest is None or published["minimal"] or strongest["minimal"]:
        return False
    return all(published[key] is not None and published[key] == strongest[key] for key in ("norm", "eps"))


def _figure(values: list[float], size: bool) -> str:
    """Mean and standard deviation: of sizes as they are, of shares in percent."""
    scale, spell = (1.0, wording.size) if size else (100.0, lambda value: f"{value:.1f}")
    if any(math.isnan(value) for value in values):
        return wording.NOTHING
    mean = spell(scale * statistics.fmean(values))
    if len(values) == 1 or not math.isfinite(statistics.fmean(values)):
        return mean
    return f"{mean} ± {scale * statistics.stdev(values):.2g}"


def _seconds(run: Mapping[str, Any]) -> float:
    return float(run["timing"].get("training", math.nan))


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
