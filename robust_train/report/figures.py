"""The figures of a report, as inline SVG."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from robust_train.evaluation.results import RegimeResult, Results
from robust_train.metrics.estimate import median
from robust_train.report import wording
from robust_train.report.axis import eps_axis, logarithmic
from robust_train.report.canvas import SOFT, Canvas
from robust_train.report.curves import relative_sizes, robust_curve
from robust_train.report.history import Curve, curves
from robust_train.report.looks import MARKERS, looks, nth_look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BINS = 36


def accuracy_curve(results: Results) -> str:
    """Robust accuracy against eps, a panel per norm.

    A minimal regime gives a whole curve, a budgeted one a point with its interval.
    """
    return "".join(_accuracy_panel(results, norm) for norm in _norms(results))


def size_histogram(results: Results) -> str:
    """How large minimal perturbations are beside the image, a panel per norm."""
    comparable = (*wording.NORMS, "geodesic")  # with the norm of the image
    return "".join(_size_panel(results, norm) for norm in _norms(results) if norm in comparable)


def training_curves(history: Iterable[Mapping[str, Any]]) -> str:
    """Losses and accuracies against the epoch, from the rows of Lightning's ``metrics.csv``."""
    history = list(history)
    accuracies = {k: [(e, 100 * v) for e, v in c] for k, c in curves(history, "accuracy").items()}
    return _epoch_panel("loss", curves(history, "loss")) + _epoch_panel("accuracy, %", accuracies)


def _accuracy_panel(results: Results, norm: str) -> str:
    canvas = Canvas(f"Robust accuracy against eps in {norm}")
    axes = canvas.axes
    low, high = eps_axis(axes, [regime for regime, _ in _regimes(results, norm)])
    for regime, look in _regimes(results, norm):
        draw = _draw_curve if regime.minimal else _draw_point
        handle = draw(axes, regime, look, low, high)
        if handle is not None:
            canvas.entry(handle, wording.plain(regime.name))
    axes.axhline(100 * results.clean_accuracy.value, color=SOFT, linewidth=1, linestyle=(0, (1, 2)))
    axes.set(xlim=(low, high), ylim=(0, 102), ylabel="robust accuracy, %")
    axes.set_xlabel(f"eps, {wording.NORMS.get(norm, norm)}", parse_math=False)
    return canvas.svg()


def _draw_curve(axes: "Axes", regime: RegimeResult, look: dict[str, Any], low: float, high: float) -> Any:
    if not len(regime.outcome.index):
        return None
    eps, share = robust_curve(regime.outcome)
    eps = torch.cat([eps.clamp_min(low), eps.new_tensor([high])])
    share = torch.cat([share, share[-1:]])
    return axes.step(eps.tolist(), (100 * share).tolist(), where="post", **look)[0]


def _draw_point(axes: "Axes", regime: RegimeResult, look: dict[str, Any], low: float, high: float) -> Any:
    found = regime.metrics.get("robust_accuracy")
    if found is None or regime.eps is None or found.value != found.value:
        return None
    error = [[100 * max(0.0, found.value - found.low)], [100 * max(0.0, found.high - found.value)]]
    marker = MARKERS[look["linestyle"]]
    return axes.errorbar(
        regime.eps, 100 * found.value, error, fmt=marker, color=look["color"], elinewidth=1.2
    )


def _size_panel(results: Results, norm: str) -> str:
    from matplotlib.ticker import MaxNLocator

    canvas = Canvas(f"Minimal sizes in {norm} relative to the image")
    drawn = [(r, look, relative_sizes(r.outcome)) for r, look in _regimes(results, norm) if r.minimal]
    drawn = [(regime, look, sizes) for regime, look, sizes in drawn if len(sizes)]
    if not drawn:
        return ""
    ends = torch.cat([sizes for _, _, sizes in drawn]).log10().aminmax()
    bins = torch.logspace(float(ends.min) - 0.05, float(ends.max) + 0.05, _BINS + 1).tolist()
    for regime, look, sizes in drawn:
        _draw_sizes(canvas, regime, look, sizes, bins)
    logarithmic(canvas.axes, bins[0], bins[-1])
    canvas.axes.set(ylabel="images, %")
    canvas.axes.yaxis.set_major_locator(MaxNLocator(5))
    canvas.axes.set_xlabel(f"{wording.NORMS.get(norm, norm)} size / \u2016x\u2016\u2082", parse_math=False)
    return canvas.svg()


def _draw_sizes(
    canvas: Canvas, regime: RegimeResult, look: dict[str, Any], sizes: Tensor, bins: list[float]
) -> None:
    color = look["color"]
    share = 100 * torch.histogram(sizes, sizes.new_tensor(bins)).hist / len(regime.outcome.index)
    style = {"fill": True, "facecolor": (color, 0.25), "edgecolor": color, "linewidth": 1.4}
    outline = canvas.axes.stairs(share.tolist(), bins, **style)
    middle = median(regime.outcome.size / regime.outcome.scale).value  # failures count as infinite
    if math.isfinite(middle):
        canvas.axes.axvline(middle, color=color, linewidth=1, linestyle=(0, (4, 2)))
    canvas.entry(outline, f"{wording.plain(regime.name)}, median {wording.size(middle)}")


def _epoch_panel(label: str, series: Mapping[str, Curve]) -> str:
    from matplotlib.ticker import MaxNLocator

    canvas = Canvas(f"Training: {label} against the epoch")
    for k, (name, curve) in enumerate(series.items()):
        marker = "o" if len(curve) == 1 else None
        (line,) = canvas.axes.plot(*zip(*curve, strict=True), marker=marker, **nth_look(k))
        canvas.entry(line, wording.plain(name).removesuffix("_epoch"))
    canvas.axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    canvas.axes.yaxis.set_major_locator(MaxNLocator(6))
    canvas.axes.set(xlabel="epoch", ylabel=label)
    return canvas.svg()


def _norms(results: Results) -> list[str]:
    """The norms of the suite, in its order."""
    return list(dict.fromkeys(regime.norm for regime in results.regimes.values()))


def _regimes(results: Results, norm: str) -> Iterator[tuple[RegimeResult, dict[str, Any]]]:
    """The regimes in this norm, each with its look."""
    for name, look in looks(results).items():
        if results.regimes[name].norm == norm:
            yield results.regimes[name], look
