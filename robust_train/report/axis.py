"""Axes of sizes: where they begin and end, and how they are divided."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from robust_train.evaluation.results import RegimeResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

_CLIFF = 10.0  # where medians are further apart, a linear axis shows the smaller ones as a cliff


def eps_axis(axes: "Axes", regimes: list[RegimeResult]) -> tuple[float, float]:
    """Limits that show where something happens; logarithmic where that is far apart."""
    places = [q for regime in regimes for q in _landmarks(regime)] or [(1.0, 1.0, 1.0)]
    first, middle, last = zip(*places, strict=True)
    if max(middle) <= _CLIFF * min(middle):
        return 0.0, 1.08 * max(last)
    low, high = min(first) / 2, 1.5 * max(last)
    logarithmic(axes, low, high)
    return low, high


def logarithmic(axes: "Axes", low: float, high: float) -> None:
    """A logarithmic x axis, labelled in plain numbers."""
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    label_plainly(axes.xaxis, low, high)


def label_plainly(axis: "Axis", low: float, high: float) -> None:
    """Plain numbers on a logarithmic axis, however many decades it spans."""
    from matplotlib.ticker import LogLocator, NullLocator

    steps = (1.0, 2.0, 5.0) if high < 100 * low else (1.0, 3.0) if high < 1e4 * low else (1.0,)
    axis.set_major_locator(LogLocator(subs=steps, numticks=9))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(lambda value, _: f"{value:g}")


def _landmarks(regime: RegimeResult) -> list[tuple[float, ...]]:
    """Where a regime begins, is half through and ends; nothing where it found nothing."""
    if not regime.minimal:
        return [(regime.eps, regime.eps, 1.5 * regime.eps)] if regime.eps else []
    found = regime.outcome.size[regime.outcome.size.isfinite() & (regime.outcome.size > 0)]
    return [_quantiles(found, 0.05, 0.5, 0.98)] if len(found) else []


def _quantiles(values: Tensor, *shares: float) -> tuple[float, ...]:
    return tuple(torch.quantile(values.double(), values.new_tensor(shares).double()).tolist())
