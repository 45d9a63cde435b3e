"""What an evaluation found: estimates with intervals, costs, and the outcome of every sample."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from robust_train.metrics.detection import Detection
from robust_train.metrics.estimate import Estimate
from robust_train.types import Outcome


@dataclass(frozen=True)
class Learning:
    """What a regime learnt from before it was judged, and what that cost in all.

    Args:
        images: Number of images.
        source: Where the images come from and how they were drawn; a sentence.
        forwards: Forward passes, each of one image.
        backwards: Backward passes.
        seconds: Wall time.
    """

    images: int
    source: str
    forwards: int
    backwards: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.source}; {self.forwards} forward and {self.backwards} backward passes"


@dataclass(frozen=True, eq=False)
class RegimeResult:
    """One perturbation regime, measured.

    Args:
        name: The name that the suite gives it.
        kind: Class of the perturbation, such as ``PGD``.
        settings: Its hyper-parameters as plain values.
        minimal: Whether sizes are minimal (else success within a budget is what counts).
        norm: Unit of the sizes, such as ``linf``.
        eps: The budget; ``None`` where there is none.
        metrics: Estimates by name: ``robust_accuracy``, ``fooling_rate``, ``median_size``,
            ``relative_size``, ``draw_accuracy`` (robust, of single draws); those that do not apply
            are missing.
        outcome: Every sample once, ordered by index.
        forwards: Forward passes for each sample, those of learning included.
        backwards: Backward passes for each sample, those of learning included.
        seconds: Wall time, that of learning included; never part of what is compared between runs.
        examples: ``(G, C, H, W)`` the perturbed images of the gallery.
        learning: What a regime that learns learnt from, and at what cost.
        detection: What the flag of a network that has one catches, under a regime within a budget.

    Example:
        >>> import torch
        >>> from robust_train.evaluation.evaluate import evaluate
        >>> from robust_train.perturbations.fgsm import FGSM
        >>> data = [(torch.rand(4), i % 2) for i in range(8)]
        >>> results = evaluate(torch.nn.Linear(4, 2), data, {"fgsm": FGSM(eps=0.1)}, progress=False)
        >>> regime = results.regimes["fgsm"]
        >>> regime.kind, regime.norm, regime.eps, sorted(regime.metrics)
        ('FGSM', 'linf', 0.1, ['fooling_rate', 'robust_accuracy'])
    """

    name: str
    kind: str
    settings: dict[str, Any]
    minimal: bool
    norm: str
    eps: float | None
    metrics: dict[str, Estimate]
    outcome: Outcome
    forwards: float
    backwards: float
    seconds: float
    examples: Tensor
    learning: Learning | None = None
    detection: Detection | None = None


@dataclass(frozen=True, eq=False)
class Results:
    """One network, measured under a suite of regimes.

    Args:
        clean_accuracy: Accuracy on the unperturbed inputs.
        regimes: Result of each regime by name, in the order of the suite.
        examples: ``(G, C, H, W)`` the clean images of the gallery.
        example_index: ``(G,)`` their positions in the data set.
        classes: Names of the classes, or nothing.
        settings: What defines the numbers: seed, block, samples and the rule that chose them,
            precision, versions. Plain values.
        warnings: What the preflight found, a sentence each.
        false_positives: Share of the unperturbed inputs that a network flags, where it can.

    Example:
        >>> import torch
        >>> from robust_train.evaluation.evaluate import evaluate
        >>> from robust_train.perturbations.fgsm import FGSM
        >>> data = [(torch.rand(4), i % 2) for i in range(8)]
        >>> results = evaluate(torch.nn.Linear(4, 2), data, {"fgsm": FGSM(eps=0.1)}, progress=False)
        >>> results.clean_accuracy.n, list(results.regimes), len(results.regimes["fgsm"].outcome.index)
        (8, ['fgsm'], 8)
    """

    clean_accuracy: Estimate
    regimes: dict[str, RegimeResult]
    examples: Tensor
    example_index: Tensor
    classes: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    false_positives: Estimate | None = None
