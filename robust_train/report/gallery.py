"""The gallery of a report: what each regime did to a few images."""

from dataclasses import dataclass

import torch

from robust_train.evaluation.results import RegimeResult, Results
from robust_train.report import wording
from robust_train.report.images import data_uri, magnification

_SMALL = 64  # pixels a side, below which single pixels are worth seeing


@dataclass(frozen=True)
class Cell:
    """What one regime did to one image; pictures are empty where nothing was found."""

    perturbation: str
    image: str
    prediction: str
    turned: bool
    flagged: bool
    size: str


@dataclass(frozen=True)
class Exhibit:
    """One image and what became of it, a cell per regime (``None``: not measured)."""

    index: int
    image: str
    label: str
    prediction: str
    right: bool
    cells: list[Cell | None]


@dataclass(frozen=True)
class Gallery:
    """Heads are the name of a regime, what it is and how much its perturbations are enlarged."""

    heads: list[tuple[str, str, str]]
    exhibits: list[Exhibit]
    pixelated: bool
    clipped: bool


def gallery(results: Results) -> Gallery | None:
    """The example images, a row each; ``None`` where there are none, or they are no images."""
    images = results.examples
    if images.ndim != 4 or not images.numel():
        return None
    factors = {name: magnification(r.examples - images) for name, r in results.regimes.items()}
    heads = [
        (wording.plain(name), wording.describe(regime), f"{factors[name]:g}")
        for name, regime in results.regimes.items()
    ]
    exhibits = [_exhibit(results, k, factors) for k in range(len(images))]
    shown = [images, *(regime.examples for regime in results.regimes.values())]
    clipped = any(bool(((x < 0) | (x > 1)).any()) for x in shown)
    return Gallery(heads, exhibits, max(images.shape[2:]) <= _SMALL, clipped)


def _exhibit(results: Results, k: int, factors: dict[str, float]) -> Exhibit:
    index = int(results.example_index[k])
    cells = [_cell(results, r, k, index, factors[name]) for name, r in results.regimes.items()]
    label, prediction, name = _original(results, index)
    return Exhibit(
        index=index,
        image=data_uri(results.examples[k]),
        label="" if label is None else wording.class_name(results.classes, label),
        prediction=name,
        right=label == prediction,
        cells=cells,
    )


def _original(results: Results, index: int) -> tuple[int | None, int | None, str]:
    """Label, prediction and the name of that for an image, from any regime that has it."""
    for regime in results.regimes.values():
        row = _row(regime, index)
        if row is not None:
            label, prediction = int(regime.outcome.labels[row]), int(regime.outcome.predictions[row])
            return label, prediction, _name(results, prediction, bool(regime.outcome.flagged[row]))
    return None, None, ""


def _cell(results: Results, regime: RegimeResult, k: int, index: int, factor: float) -> Cell | None:
    row = _row(regime, index)
    if row is None:
        return None
    outcome, clean, perturbed = regime.outcome, results.examples[k], regime.examples[k]
    before, after = int(outcome.decisions[row]), int(outcome.perturbed_predictions[row])
    flagged = bool(outcome.perturbed_flagged[row])
    size = float(outcome.size[row])
    if size == torch.inf:
        return Cell("", "", "not found", False, False, "")
    change = data_uri(0.5 + factor * (perturbed - clean))
    name = _name(results, after, flagged)
    turned = before != after and not flagged
    return Cell(change, data_uri(perturbed), name, turned, flagged, wording.size(size))


def _name(results: Results, prediction: int, flagged: bool) -> str:
    return "flagged" if flagged else wording.class_name(results.classes, prediction)


def _row(regime: RegimeResult, index: int) -> int | None:
    found = (regime.outcome.index == index).nonzero().flatten()
    return int(found[0]) if len(found) else None
