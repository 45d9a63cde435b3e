"""The figure of a detector: what it catches, against the clean images that it flags for it."""

import math
from typing import Any

from robust_train.evaluation.results import RegimeResult, Results
from robust_train.report import wording
from robust_train.report.axis import logarithmic
from robust_train.report.canvas import SOFT, Canvas
from robust_train.report.looks import MARKERS, looks


def roc_curves(results: Results) -> str:
    """A curve for each regime within a budget, with a point at the detector's own threshold.

    The axis of false positives is logarithmic, with none at its left end. Empty where the network flags
    nothing, or no regime turned an image.
    """
    own = results.false_positives
    shown = [(results.regimes[name], look) for name, look in looks(results).items()]
    shown = [(regime, look) for regime, look in shown if regime.detection and regime.detection.caught.n]
    if own is None or not shown:
        return ""
    canvas, low = Canvas("Flagged images against false positives"), 50 / own.n
    for regime, look in shown:
        _draw(canvas, regime, look, low, 100 * own.value)
    chance = [low * (100 / low) ** (k / 50) for k in range(51)]
    (line,) = canvas.axes.plot(chance, chance, color=SOFT, linewidth=1, linestyle=(0, (1, 2)))
    canvas.entry(line, "chance")
    logarithmic(canvas.axes, low, 100)
    canvas.axes.set(ylim=(0, 102), xlabel="clean images flagged, %", ylabel="turned images flagged, %")
    return canvas.svg()


def _draw(canvas: Canvas, regime: RegimeResult, look: dict[str, Any], low: float, own: float) -> None:
    detection = regime.detection
    assert detection is not None
    x = [max(low, 100 * share) for share, _ in detection.curve]
    (line,) = canvas.axes.plot(x, [100 * y.value for _, y in detection.curve], **look)
    caught, marker = detection.caught, MARKERS[look["linestyle"]]
    error = [[100 * max(0.0, caught.value - caught.low)], [100 * max(0.0, caught.high - caught.value)]]
    point = {"fmt": marker, "color": look["color"], "elinewidth": 1.2}
    canvas.axes.errorbar(max(low, own), 100 * caught.value, error, **point)
    canvas.entry(line, _label(regime))


def _label(regime: RegimeResult) -> str:
    area = regime.detection.auc if regime.detection else None
    words = wording.plain(regime.name) + (" (static)" if regime.kind == "Static" else "")
    return f"{words}, AUC {area.value:.3f}" if area and math.isfinite(area.value) else words
