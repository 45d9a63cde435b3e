"""How each regime is drawn, the same in every figure."""

from typing import Any

from robust_train.evaluation.results import Results
from robust_train.report.canvas import SERIES
from robust_train.report.dimension import swept

_DASHES = ("-", "--", ":")

MARKERS = dict(zip(_DASHES, "os^", strict=True))
"""Of single points, by the style of the line."""


def nth_look(k: int) -> dict[str, Any]:
    """Colour and line of the k-th series."""
    return {"color": SERIES[k % len(SERIES)], "linestyle": _DASHES[k // len(SERIES) % len(_DASHES)]}


def looks(results: Results) -> dict[str, dict[str, Any]]:
    """Of each regime by name, but for those that have a figure of their own."""
    crowd = swept(results)
    shown = [name for name in results.regimes if name not in crowd]
    return {name: nth_look(k) for k, name in enumerate(shown)}
