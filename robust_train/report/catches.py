"""What a detector flags of each sort of images, spelt out."""

from dataclasses import dataclass

from robust_train.evaluation.results import Results
from robust_train.metrics.estimate import Estimate
from robust_train.report import wording


@dataclass(frozen=True)
class Catch:
    """A share that is flagged, and an area under the curve where there is one, each with its interval."""

    name: str
    what: str
    n: int
    flagged: str
    flagged_range: str
    auc: str
    auc_range: str


def catches(results: Results) -> list[Catch]:
    """Clean images first, then what each regime within a budget turned; nothing without a detector."""
    if results.false_positives is None:
        return []
    found = [_catch("clean", "all unperturbed images", results.false_positives, None)]
    for regime in results.regimes.values():
        if regime.detection:
            what = wording.describe(regime)
            found.append(
                _catch(wording.plain(regime.name), what, regime.detection.caught, regime.detection.auc)
            )
    return found


def _catch(name: str, what: str, flagged: Estimate, auc: Estimate | None) -> Catch:
    shown = auc is not None and auc.n > 0
    return Catch(
        name,
        what,
        flagged.n,
        wording.percent(flagged.value),
        wording.interval(flagged, True),
        f"{auc.value:.3f}" if auc and shown else wording.NOTHING,
        f"{auc.low:.3f} {wording.NOTHING} {auc.high:.3f}" if auc and shown else "",
    )
