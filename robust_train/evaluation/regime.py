"""One regime in the course of an evaluation."""

import re
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import Tensor

from robust_train.evaluation.processes import by_index, gather, merge
from robust_train.evaluation.results import Learning, RegimeResult
from robust_train.metrics import Estimate, FoolingRate, MedianSize, RelativeSize, RobustAccuracy
from robust_train.metrics.base import OutcomeMetric
from robust_train.metrics.detection import Detection
from robust_train.metrics.estimate import rate_over_draws
from robust_train.perturbations.base import Perturbation
from robust_train.perturbations.static import Static
from robust_train.types import Outcome


@dataclass
class Regime:
    """What a regime has done so far."""

    name: str
    perturbation: Perturbation
    outcomes: list[Outcome] = field(default_factory=list)
    draws: list[Tensor] = field(default_factory=list)
    images: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    samples: int = 0
    forwards: int = 0
    backwards: int = 0
    seconds: float = 0.0
    learning: Learning | None = None

    def result(self) -> RegimeResult:
        """The figures over all blocks of all processes; every process must call it."""
        perturbation, outcome = self.perturbation, merge(gather(self.outcomes))
        costs = gather([(self.samples, self.forwards, self.backwards, self.seconds)])
        samples, forwards, backwards, _ = (sum(column) for column in zip(*costs, strict=True))
        # Every process learnt the same, unless it had nothing to judge: that counts once.
        learning = next((found for found in gather([self.learning]) if found), None)
        if learning:
            forwards, backwards = forwards + learning.forwards, backwards + learning.backwards
        eps = getattr(perturbation, "eps", None)
        metrics: dict[str, OutcomeMetric] = {"fooling_rate": FoolingRate()}
        if perturbation.minimal:
            metrics |= {"median_size": MedianSize(), "relative_size": RelativeSize()}
        else:
            metrics |= {"robust_accuracy": RobustAccuracy(eps)}
        estimates = {name: estimate(metric, outcome) for name, metric in metrics.items()}
        draws = gather(self.draws)
        if draws:
            estimates["draw_accuracy"] = rate_over_draws(torch.cat(draws))
        return RegimeResult(
            name=self.name,
            kind=type(perturbation).__name__,
            settings=_settings(perturbation),
            minimal=perturbation.minimal,
            norm=getattr(perturbation, "norm", ""),
            eps=eps,
            metrics=estimates,
            outcome=outcome,
            forwards=forwards / max(1, samples),
            backwards=backwards / max(1, samples),
            seconds=max(seconds for *_, seconds in costs) + (learning.seconds if learning else 0),
            examples=by_index(*stack(gather(self.images)))[1],
            learning=learning,
            detection=self._detection(outcome),
        )

    def _detection(self, outcome: Outcome) -> Detection | None:
        """What a minimal search finds passes the flag by definition, so that only budgeted regimes tell."""
        p = self.perturbation
        if p.minimal or not outcome.reject:
            return None
        onward = isinstance(p, Static) or getattr(p, "drop", True) is False
        return Detection.of(outcome, getattr(p, "eps", None), onward)


def estimate(metric: OutcomeMetric, outcome: Outcome) -> Estimate:
    """The figure of a metric over an outcome."""
    metric.update(outcome)
    return metric.estimate()


def stack(images: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Positions and images of all blocks."""
    return torch.cat([index for index, _ in images]), torch.cat([pixels for _, pixels in images])


def _settings(value: Any) -> dict[str, Any]:
    """Hyper-parameters as plain values; what was learnt is none of them."""
    return {f.name: _plain(getattr(value, f.name)) for f in fields(value) if f.compare}


def _plain(value: Any) -> Any:
    """A hyper-parameter as plain values, for files."""
    if hasattr(value, "__dataclass_fields__"):
        return {"kind": type(value).__name__, **_settings(value)}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, (bool, int, float, str, type(None))):
        return value
    return re.sub(" at 0x[0-9a-fA-F]+", "", repr(value))  # an address is no property of a function
