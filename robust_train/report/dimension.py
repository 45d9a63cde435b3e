"""How large a perturbation has to be in a subspace, against the dimension of it."""

import math
from collections.abc import Mapping

from robust_train.evaluation.results import RegimeResult, Results
from robust_train.metrics.estimate import Estimate
from robust_train.report import wording
from robust_train.report.axis import label_plainly, logarithmic
from robust_train.report.canvas import SERIES, SOFT, Canvas

Sweep = dict[str, tuple[int, Estimate]]
"""By the name of the regime, its dimension, ascending, and the median size there."""


def swept(results: Results) -> set[str]:
    """Names of the regimes that are points of a sweep drawn here, and would crowd the other figures."""
    return {name for sweep in _sweeps(results.regimes).values() for name in sweep}


def dimension_curve(results: Results) -> str:
    r"""Median size against m, a line for each kind of subspace; empty where there is no sweep.

    The dotted line is the law of linear networks, :math:`\sqrt{m'/m}` times the size at the largest
    dimension m'.
    """
    sweeps = _sweeps(results.regimes)
    if not sweeps:
        return ""
    canvas = Canvas("Size against the dimension of the subspace")
    for k, (name, sweep) in enumerate(sweeps.items()):
        x, medians = zip(*sweep.values(), strict=True)
        color = SERIES[k % len(SERIES)]
        (line,) = canvas.axes.plot(x, [e.value for e in medians], marker="o", markersize=4, color=color)
        highs = [e.high if math.isfinite(e.high) else e.value for e in medians]
        canvas.axes.fill_between(x, [e.low for e in medians], highs, color=color, alpha=0.15, linewidth=0)
        canvas.entry(line, wording.plain(name))
    _law(canvas, next(iter(sweeps.values())))
    canvas.axes.set_yscale("log")
    dimensions = [m for sweep in sweeps.values() for m, _ in sweep.values()]
    logarithmic(canvas.axes, min(dimensions) / 1.2, max(dimensions) * 1.2)
    label_plainly(canvas.axes.yaxis, *canvas.axes.get_ylim())
    canvas.axes.set(xlabel="dimension m", ylabel="median size")
    return canvas.svg()


def _sweeps(regimes: Mapping[str, RegimeResult]) -> dict[str, Sweep]:
    """Minimal regimes that differ in their dimension, of which there are at least two."""
    found: dict[str, Sweep] = {}
    for name, regime in regimes.items():
        m, median = regime.settings.get("dimension"), regime.metrics.get("median_size")
        if isinstance(m, int) and median is not None and math.isfinite(median.value):
            basis = regime.settings.get("basis", regime.kind)
            basis = basis.get("kind", "given") if isinstance(basis, Mapping) else basis
            found.setdefault(str(basis).replace("_", " "), {})[name] = m, median
    return {
        kind: dict(sorted(sweep.items(), key=lambda point: point[1][0]))
        for kind, sweep in found.items()
        if len(sweep) > 1
    }


def _law(canvas: Canvas, sweep: Sweep) -> None:
    x = [m for m, _ in sweep.values()]
    largest, size = list(sweep.values())[-1]
    y = [size.value * math.sqrt(largest / m) for m in x]
    (line,) = canvas.axes.plot(x, y, color=SOFT, linewidth=1, linestyle=(0, (1, 2)))
    canvas.entry(line, "as 1/\N{SQUARE ROOT}m")
