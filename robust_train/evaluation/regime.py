"""One regime in the course of an evaluation."""

from dataclasses import dataclass, field, replace
from time import perf_counter

import torch
from torch import Tensor

from robust_train.attacking.gradients import Counted
from robust_train.evaluation.block import Block
from robust_train.evaluation.gallery import Gallery
from robust_train.evaluation.hyperparameters import hyperparameters
from robust_train.evaluation.judging import Judge
from robust_train.evaluation.lessons import LEARNING, Lessons
from robust_train.evaluation.processes import gather, merge
from robust_train.evaluation.results import Learning, RegimeResult
from robust_train.metrics import Estimate, FoolingRate, MedianSize, RelativeSize, RobustAccuracy
from robust_train.metrics.base import OutcomeMetric
from robust_train.metrics.detection import Detection
from robust_train.metrics.estimate import rate_over_draws
from robust_train.perturbations.base import Perturbation
from robust_train.perturbations.onward import onward
from robust_train.randomness import Streams
from robust_train.types import Outcome, Perturbed


@dataclass
class Regime:
    """A perturbation, and what it has done so far."""

    name: str
    perturbation: Perturbation
    gallery: Gallery
    outcomes: list[Outcome] = field(default_factory=list)
    draws: list[Tensor] = field(default_factory=list)
    samples: int = 0
    forwards: int = 0
    backwards: int = 0
    seconds: float = 0.0
    learning: Learning | None = None

    @property
    def eps(self) -> float | None:
        """The budget, where there is one."""
        return getattr(self.perturbation, "eps", None)

    def learn(self, judge: Judge, lessons: Lessons, seed: int) -> None:
        """Fit the perturbation to images, none of which may be judged."""
        counted, start = Counted(judge.network), perf_counter()
        rng = Streams.of(seed, [0]).fold(LEARNING)
        self.perturbation = self.perturbation.fit(judge.attacked(counted), lessons, rng)
        passes = counted.forwards, counted.backwards
        self.learning = Learning(len(lessons), str(lessons), *passes, perf_counter() - start)

    def run(self, judge: Judge, block: Block, seed: int) -> None:
        """Search a block, and judge what was found."""
        found = self._search(judge, block, seed)
        # A size of inf says that nothing was found; any other is measured anew.
        size = self.perturbation.measure(block.inputs, found.inputs, found.parameters)
        size = size.masked_fill(found.size.isinf(), torch.inf)
        logits, after = judge.verdict(found.inputs)
        if self.perturbation.minimal:
            size = judge.confirmed(size, block.clean.logits.to(logits), logits)
        elif judge.stochastic:
            self.draws.append(self._standing(block, size, after))
        outcome = replace(block.clean, perturbed_logits=logits.cpu(), size=size.double().cpu())
        self.outcomes.append(outcome)
        self.gallery.add(block.clean.index, found.inputs)

    def _search(self, judge: Judge, block: Block, seed: int) -> Perturbed:
        """What the perturbation finds, with the costs counted."""
        counted, start = Counted(judge.network), perf_counter()
        rng = Streams.of(seed, block.clean.index)
        found = judge.searched(self.perturbation, counted, block.inputs, block.labels, rng)
        if block.inputs.is_cuda:
            torch.cuda.synchronize(block.inputs.device)
        self.seconds += perf_counter() - start
        self.samples += len(block.inputs)
        self.forwards += counted.forwards
        self.backwards += counted.backwards
        return found

    def _standing(self, block: Block, size: Tensor, after: Tensor) -> Tensor:
        """``(N, draws)`` whether an image is right in a draw, and stays so, given the classes after."""
        labels, clean = block.labels[:, None], block.clean
        within = size.isfinite() & (size <= (torch.inf if self.eps is None else self.eps))
        harmed = (after != labels) & (after < clean.logits.shape[1] - clean.reject) & within[:, None]
        return ((block.singles == labels) & ~harmed).cpu()

    def result(self) -> RegimeResult:
        """The figures over all blocks of all processes; every process must call it."""
        perturbation, outcome = self.perturbation, merge(gather(self.outcomes))
        costs = gather([(self.samples, self.forwards, self.backwards, self.seconds)])
        samples, forwards, backwards, _ = (sum(column) for column in zip(*costs, strict=True))
        # Every process learnt the same, unless it had nothing to judge: that counts once.
        learning = next((found for found in gather([self.learning]) if found), None)
        if learning:
            forwards, backwards = forwards + learning.forwards, backwards + learning.backwards
        return RegimeResult(
            name=self.name,
            kind=type(perturbation).__name__,
            settings=hyperparameters(perturbation),
            minimal=perturbation.minimal,
            norm=getattr(perturbation, "norm", ""),
            eps=self.eps,
            metrics=self._estimates(outcome),
            outcome=outcome,
            forwards=forwards / max(1, samples),
            backwards=backwards / max(1, samples),
            seconds=max(seconds for *_, seconds in costs) + (learning.seconds if learning else 0),
            examples=self.gallery.gathered()[1],
            learning=learning,
            detection=self._detection(outcome),
        )

    def _estimates(self, outcome: Outcome) -> dict[str, Estimate]:
        metrics: dict[str, OutcomeMetric] = {"fooling_rate": FoolingRate()}
        if self.perturbation.minimal:
            metrics |= {"median_size": MedianSize(), "relative_size": RelativeSize()}
        else:
            metrics |= {"robust_accuracy": RobustAccuracy(self.eps)}
        estimates = {name: estimate(metric, outcome) for name, metric in metrics.items()}
        draws = gather(self.draws)
        return estimates | ({"draw_accuracy": rate_over_draws(torch.cat(draws))} if draws else {})

    def _detection(self, outcome: Outcome) -> Detection | None:
        """What a minimal search finds passes the flag by definition, so that only budgeted regimes tell."""
        if self.perturbation.minimal or not outcome.reject:
            return None
        return Detection.of(outcome, self.eps, onward(self.perturbation))


def estimate(metric: OutcomeMetric, outcome: Outcome) -> Estimate:
    """The figure of a metric over an outcome."""
    metric.update(outcome)
    return metric.estimate()
