"""What an evaluation will cost, measured on a few samples before it starts."""

from dataclasses import dataclass
from time import perf_counter
from typing import Any

from robust_train.evaluation.evaluate import evaluate
from robust_train.evaluation.evaluator import Suite
from robust_train.types import Network

_TRIED = 16  # few enough to wait for, enough for one of them not to decide


@dataclass(frozen=True)
class Cost:
    """Per sample, of all regimes together.

    Example:
        >>> Cost(forwards=412.3, backwards=398.9, seconds=0.09).sentence(450)
        'About 412 forward and 399 backward passes a sample, 40 s for 450 samples.'
    """

    forwards: float
    backwards: float
    seconds: float

    def sentence(self, samples: int) -> str:
        """What to expect of so many samples."""
        passes = f"{self.forwards:,.0f} forward and {self.backwards:,.0f} backward passes a sample"
        return f"About {passes}, {_duration(self.seconds * samples)} for {samples:,} samples."

    def affordable(self, minutes: float) -> int:
        """How many samples fit into the time; at least one."""
        return max(1, int(60 * minutes / self.seconds))


def estimate_cost(network: Network, data: Any, suite: Suite, **settings: Any) -> Cost:
    """Try the suite on a few samples; small batches make the estimate a careful one."""
    start = perf_counter()
    settings["limit"] = min(settings.get("limit") or _TRIED, _TRIED)
    tried = evaluate(network, data, suite, **settings, progress=False)
    regimes = tried.regimes.values()
    return Cost(
        forwards=sum(regime.forwards for regime in regimes),
        backwards=sum(regime.backwards for regime in regimes),
        seconds=(perf_counter() - start) / tried.clean_accuracy.n,
    )


def _duration(seconds: float) -> str:
    """The time in the unit that suits it.

    Example:
        >>> _duration(0.4), _duration(200), _duration(9000)
        ('1 s', '3 min', '2.5 h')
    """
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
