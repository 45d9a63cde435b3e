"""``samples.csv``: what happened to every sample under every regime."""

import csv
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from robust_train.evaluation.results import RegimeResult, Results
from robust_train.report.atomic import write_text

_COLUMNS = (
    "regime",
    "index",
    "label",
    "prediction",
    "perturbed_prediction",
    "size",
    "relative_size",
    "robust",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_samples(results: Results, path: str | Path) -> None:
    r"""Write a row per sample and regime: regimes in the order of the suite, then by index.

    A sample is robust where it is right and what the regime found, within its budget, is right too.
    Labels and predictions are numbers of classes. A prediction is -1 where a logit was not finite; of a
    network that flags images it is one more than the last class where the image was flagged. Sizes that
    were not found are ``inf``; the relative size is :math:`\|r\| / \|x\|_2`.

    Raises:
        OSError: The folder is missing or cannot be written.
    """
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for regime in results.regimes.values():
        writer.writerows(_rows(regime))
    write_text(path, buffer.getvalue())


def _rows(regime: RegimeResult) -> Iterator[tuple[object, ...]]:
    from robust_train.metrics.robust_accuracy import RobustAccuracy  # torchmetrics is slow to import

    outcome = regime.outcome.take(regime.outcome.index.argsort())
    columns = (
        outcome.index,
        outcome.labels,
        outcome.predictions,
        outcome.perturbed_predictions,
        outcome.size,
        outcome.size / outcome.scale,
        RobustAccuracy(regime.eps).per_sample(outcome).int(),
    )
    name = _harmless(regime.name)
    return ((name, *row) for row in zip(*(column.tolist() for column in columns), strict=True))


def _harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
