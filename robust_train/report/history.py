"""Curves over epochs, out of the many empty cells of Lightning's ``metrics.csv``."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

Curve = list[tuple[float, float]]


def curves(history: Iterable[Mapping[str, Any]], ending: str) -> dict[str, Curve]:
    """The columns with this ending, by name: epochs and their mean values, in order.

    Columns of single steps are left out; cells that are empty or no number are skipped.

    Example:
        >>> rows = [{"epoch": "0", "train/loss": "2.0"}, {"epoch": "0", "train/loss": ""}]
        >>> curves(rows, "loss")
        {'train/loss': [(0.0, 2.0)]}
    """
    cells: dict[str, dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in history:
        epoch = _number(row.get("epoch"))
        for name in filter(lambda name: str(name).removesuffix("_epoch").endswith(ending), row):
            value = _number(row[name])
            if math.isfinite(epoch) and math.isfinite(value):
                cells[name][epoch].append(value)
    return {name: _means(epochs) for name, epochs in cells.items()}


def _means(epochs: Mapping[float, list[float]]) -> Curve:
    return [(epoch, sum(values) / len(values)) for epoch, values in sorted(epochs.items())]


def _number(cell: Any) -> float:
    """The cell as a number, NaN where it is none."""
    try:
        return float(cell)
    except (TypeError, ValueError):
        return float("nan")
