"""The rows of the table of an evaluation, before anything decides how they look."""

import math
from dataclasses import dataclass

from robust_train.evaluation.results import RegimeResult, Results
from robust_train.metrics.estimate import Estimate
from robust_train.report import wording


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Args:
        name: The regime, or ``clean``.
        what: What it is, such as ``PGD linf 0.15``.
        figure: What the value is: ``accuracy``, ``robust`` (accuracy) or ``median`` (size).
        estimate: The figure and its interval.
        fooled: The fooling rate; ``None`` where it does not apply.
        note: How many minimal searches failed, if any did, what single draws of the network are worth, or
            what a detector flags.
        passes: Forward + backward passes for each sample.
        seconds: Wall time.
    """

    name: str
    what: str
    figure: str
    estimate: Estimate
    fooled: Estimate | None = None
    note: str = ""
    passes: str = ""
    seconds: str = ""

    @property
    def share(self) -> bool:
        """Whether the figure is a rate (else a size)."""
        return self.figure != "median"

    @property
    def value(self) -> str:
        return (wording.percent if self.share else wording.size)(self.estimate.value)

    @property
    def interval(self) -> str:
        return wording.interval(self.estimate, self.share)

    @property
    def fooling(self) -> str:
        return wording.percent(self.fooled.value) if self.fooled else ""

    @property
    def n(self) -> str:
        return str(self.estimate.n)


def rows(results: Results) -> list[Row]:
    """Clean accuracy first, then every regime in the order of the suite."""
    alarms = results.false_positives
    note = f"flagged {wording.percent(alarms.value)}" if alarms else ""
    clean = Row("clean", "unperturbed", "accuracy", results.clean_accuracy, note=note)
    return [clean, *(_row(regime) for regime in results.regimes.values())]


def headline(regime: RegimeResult) -> Estimate:
    """The figure that a regime is about: robust accuracy, or the median of minimal sizes."""
    missing = Estimate(math.nan, math.nan, math.nan, len(regime.outcome.index))
    return regime.metrics.get("median_size" if regime.minimal else "robust_accuracy", missing)


def _row(regime: RegimeResult) -> Row:
    return Row(
        name=wording.plain(regime.name),
        what=wording.describe(regime),
        figure="median" if regime.minimal else "robust",
        estimate=headline(regime),
        fooled=regime.metrics.get("fooling_rate"),
        note=_note(regime),
        passes=f"{_count(regime.forwards)} + {_count(regime.backwards)}",
        seconds=f"{regime.seconds:.1f} s",
    )


def _note(regime: RegimeResult) -> str:
    notes: list[str] = []
    draw, detection = regime.metrics.get("draw_accuracy"), regime.detection
    if draw:
        notes.append(f"one draw {wording.percent(draw.value)}, {wording.interval(draw, True)}")
    if detection and detection.caught.n:
        notes.append(f"caught {wording.percent(detection.caught.value)}")
    censored = int(regime.outcome.size.isinf().sum())
    if regime.minimal and censored:
        notes.append(f"{censored} not found")
    return "; ".join(notes)


def _count(passes: float) -> str:
    return f"{passes:.1f}" if passes < 100 else f"{passes:.0f}"
