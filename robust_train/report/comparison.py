"""``comparison.html`` and ``comparison.json``: several networks, and what was made on each tried on all."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from robust_train.report import wording
from robust_train.report.atomic import write_text
from robust_train.report.plain_json import as_json
from robust_train.report.templates import render
from robust_train.studies.transfer import Transfer


@dataclass(frozen=True)
class Cell:
    """One entry of a matrix: the share, its interval, and what noise of equal norm does."""

    share: float
    value: str
    interval: str
    baseline: str
    own: bool


def write_comparison(found: Mapping[str, Transfer], folder: Path, title: str) -> None:
    """Write both files.

    Args:
        found: What was measured, by regime.
        folder: Folder to write to.
        title: Heading of the page.

    Raises:
        OSError: The folder is missing or cannot be written.
    """
    content = {name: _plain(transfer) for name, transfer in found.items()}
    write_text(folder / "comparison.json", as_json(content))
    write_text(folder / "comparison.html", page(found, title))


def page(found: Mapping[str, Transfer], title: str) -> str:
    """The page alone."""
    regimes = [
        {"name": wording.plain(name), "n": len(t.index), "rows": _rows(t), "tests": _tests(t)}
        for name, t in found.items()
    ]
    first = next(iter(found.values()))
    content = {
        "title": wording.plain(title),
        "verdict": verdict(found),
        "warnings": warnings(found),
        "names": [wording.plain(name) for name in first.names],
        "draws": _draws(first),
        "regimes": regimes,
    }
    return render("comparison.html.j2", content)


def warnings(found: Mapping[str, Transfer]) -> list[str]:
    """What to know before the figures are read, a sentence each."""
    told = (warning for transfer in found.values() for warning in transfer.warnings)
    return [wording.plain(warning) for warning in dict.fromkeys(told)]


def verdict(found: Mapping[str, Transfer]) -> str:
    """In one sentence: how much travels, beside what noise of equal norm does."""
    regime, transfer = next(iter(found.items()))
    count = range(len(transfer.names))
    pairs = [(a, b) for a in count for b in count if a != b and transfer.rate(a, b).n]
    if not pairs:
        return "No two networks are right on the same images, so that nothing can be said of transfer."
    made, noise = (
        sum(share(a, b).value for a, b in pairs) / len(pairs) for share in (transfer.rate, transfer.baseline)
    )
    return (
        f"Of what {wording.plain(regime)} made on one network, {wording.percent(made)} also deceives "
        f"another, on average over the pairs; of random noise of equal norm, {wording.percent(noise)}."
    )


def _draws(transfer: Transfer) -> str:
    """How stochastic networks are attacked and judged."""
    several = {name: n for name, n in zip(transfer.names, transfer.draws, strict=True) if n > 1}
    return " ".join(
        f"{wording.plain(name)} is attacked as the mean over {n} draws of its noise, and judged as that over "
        f"{n} others."
        for name, n in several.items()
    )


def _rows(transfer: Transfer) -> list[dict[str, Any]]:
    count = range(len(transfer.names))
    return [
        {
            "name": wording.plain(transfer.names[a]),
            "robust": wording.percent(transfer.robust(a).value),
            "interval": wording.interval(transfer.robust(a), share=True),
            "cells": [_cell(transfer, a, b) for b in count],
        }
        for a in count
    ]


def _cell(transfer: Transfer, a: int, b: int) -> Cell:
    share, noise = transfer.rate(a, b), transfer.baseline(a, b)
    return Cell(
        share=share.value if share.n else 0.0,
        value=wording.percent(share.value),
        interval=wording.interval(share, share=True),
        baseline=wording.percent(noise.value),
        own=a == b,
    )


def _tests(transfer: Transfer) -> list[tuple[str, str, str]]:
    """Each pair of networks, and the p-value of the test that they are equally robust."""
    names = [wording.plain(name) for name in transfer.names]
    return [
        (names[a], names[b], f"{transfer.difference(a, b):.2g}")
        for a, b in combinations(range(len(names)), 2)
    ]


def _plain(transfer: Transfer) -> dict[str, Any]:
    count = range(len(transfer.names))

    def matrix(share: Any) -> list[list[dict[str, Any]]]:
        return [[asdict(share(a, b)) for b in count] for a in count]

    return {
        "networks": transfer.names,
        "samples": len(transfer.index),
        "draws": transfer.draws,
        "warnings": transfer.warnings,
        "robust_accuracy": [asdict(transfer.robust(a)) for a in count],
        "transfer": matrix(transfer.rate),
        "noise_of_equal_norm": matrix(transfer.baseline),
        "mcnemar": [[transfer.difference(a, b) for b in count] for a in count],
    }
