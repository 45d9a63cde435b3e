"""What an evaluation will cost, measured on a few samples before it starts."""

from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from robust_train.evaluation.evaluate import evaluate
from robust_train.evaluation.evaluator import Suite
from robust_train.evaluation.lessons import learners
from robust_train.types import Network

_TRIED = 16  # few enough to wait for, enough for one of them not to decide
_LEARNT = 64  # images that a regime learns from in the trial


@dataclass(frozen=True)
class Cost:
    """Per sample, of all regimes together, and what they take to learn before.

    Args:
        forwards: Forward passes for each sample.
        backwards: Backward passes for each sample.
        seconds: Seconds for each sample.
        learning: Seconds of learning, once.

    Example:
        >>> Cost(forwards=412.3, backwards=398.9, seconds=0.09).sentence(450)
        'About 412 forward and 399 backward passes a sample, 40 s for 450 samples.'
    """

    forwards: float
    backwards: float
    seconds: float
    learning: float = 0.0

    def sentence(self, samples: int) -> str:
        """What to expect of so many samples."""
        passes = f"{self.forwards:,.0f} forward and {self.backwards:,.0f} backward passes a sample"
        learning = f" and {_duration(self.learning)} of learning before" if self.learning else ""
        return f"About {passes}, {_duration(self.seconds * samples)} for {samples:,} samples{learning}."

    def affordable(self, minutes: float) -> int:
        """How many samples fit into the time; at least one."""
        return max(1, int((60 * minutes - self.learning) / self.seconds))


def estimate_cost(network: Network, data: Any, suite: Suite, **settings: Any) -> Cost:
    """Try the suite on a few samples; small batches make the estimate a careful one."""
    start = perf_counter()
    settings["limit"] = min(settings.get("limit") or _TRIED, _TRIED)
    briefly = {name: _briefly(regime) for name, regime in suite.items()}
    tried = evaluate(network, data, briefly, **settings, progress=False)
    seconds, n, regimes = perf_counter() - start, tried.clean_accuracy.n, tried.regimes.values()
    learning = {r.name: r.learning for r in regimes if r.learning}
    return Cost(
        forwards=sum(r.forwards for r in regimes) - sum(a.forwards for a in learning.values()) / n,
        backwards=sum(r.backwards for r in regimes) - sum(a.backwards for a in learning.values()) / n,
        seconds=(seconds - sum(a.seconds for a in learning.values())) / n,
        learning=sum(a.seconds * _images(suite[name]) / a.images for name, a in learning.items()),
    )


def _briefly(regime: Any) -> Any:
    """The regime, learning from few images: what it takes to learn is in proportion to them."""
    images = _images(regime)
    return replace(regime, images=min(images, _LEARNT)) if images else regime


def _images(regime: Any) -> int:
    """How many a regime wants to learn from; 0 where there is nothing to learn."""
    images: int = getattr(regime, "images", 0) if learners([regime]) else 0
    return images


def _duration(seconds: float) -> str:
    """The time in the unit that suits it.

    Example:
        >>> _duration(0.4), _duration(200), _duration(9000)
        ('1 s', '3 min', '2.5 h')
    """
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
