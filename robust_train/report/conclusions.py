"""What a table of recipes says, by its figures alone."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from robust_train.report import wording
from robust_train.report.tabulation import PUBLISHED, STRONGEST, Runs, comparable, headline

_BROKEN = 0.25  # share of all images by which a published attack says too much of a broken defense
_LEADERS = 3


def conclude(runs: Runs) -> list[str]:
    """Sentences: of what most is left, what is broken, and what does not help.

    Broken is what loses a quarter of all images or more between the attack that it was published with and the
    strongest one. What does not help is above the first recipe, under the strongest attack, by no more than
    the standard deviations of both over their seeds.

    Args:
        runs: As of ``tabulate``; what has no robust accuracy under ``strongest`` is left out.

    Example:
        >>> share = {"value": 0.5, "n": 450}
        >>> regime = {"minimal": False, "metrics": {"robust_accuracy": share}}
        >>> run = {"clean_accuracy": share, "regimes": {"strongest": regime}}
        >>> conclude({"standard": [run], "other": [run]})[1]
        'Not above standard by more than the spread of the seeds: other.'
    """
    base = next(iter(runs), "")
    runs = {name: found for name, found in runs.items() if all(map(_judged, found))}
    sentences = (_best(runs), _broken(runs), _idle(runs, base)) if runs else ()
    return [sentence for sentence in sentences if sentence]


def _judged(run: Mapping[str, Any]) -> bool:
    regime = run["regimes"].get(STRONGEST)
    return regime is not None and not regime["minimal"] and math.isfinite(headline(run, STRONGEST))


def _best(runs: Runs) -> str:
    leaders = sorted(runs, key=lambda name: -_mean(runs[name], STRONGEST))[:_LEADERS]
    first, *others = (f"{name} ({_percent(runs[name], STRONGEST)})" for name in leaders)
    then = f", then {' and '.join(others)}" if others else ""
    return f"Under {STRONGEST}, most is left of {first}{then}."


def _broken(runs: Runs) -> str:
    gaps = {name: _gap(found) for name, found in runs.items() if all(map(comparable, found))}
    broken = sorted((name for name, gap in gaps.items() if gap >= _BROKEN), key=lambda name: -gaps[name])
    falls = (
        f"{name} ({_percent(runs[name], PUBLISHED)} to {_percent(runs[name], STRONGEST)})" for name in broken
    )
    return f"From {PUBLISHED} to {STRONGEST} fall most: {', '.join(falls)}." if broken else ""


def _idle(runs: Runs, base: str) -> str:
    if base not in runs:
        return ""
    most, spread = _mean(runs[base], STRONGEST), _spread(runs[base])
    idle = [n for n in runs if n != base and _mean(runs[n], STRONGEST) - most <= spread + _spread(runs[n])]
    return f"Not above {base} by more than the spread of the seeds: {', '.join(idle)}." if idle else ""


def _gap(results: Sequence[Mapping[str, Any]]) -> float:
    return _mean(results, PUBLISHED) - _mean(results, STRONGEST)


def _mean(results: Sequence[Mapping[str, Any]], regime: str) -> float:
    return statistics.fmean(headline(run, regime) for run in results)


def _spread(results: Sequence[Mapping[str, Any]]) -> float:
    return statistics.stdev(headline(run, STRONGEST) for run in results) if len(results) > 1 else 0.0


def _percent(results: Sequence[Mapping[str, Any]], regime: str) -> str:
    return wording.percent(_mean(results, regime))
