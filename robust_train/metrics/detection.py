"""What a detector catches of the images that deceive the classifier beneath it."""

import math
from dataclasses import dataclass
from typing import Self

from robust_train.metrics.estimate import Estimate, rate
from robust_train.metrics.roc import auc, roc
from robust_train.types import Outcome, decide, suspicion


@dataclass(frozen=True)
class Detection:
    r"""What a network that flags inputs makes of those that a perturbation turned.

    The score of an image is how far the logit of the flag is above those of all classes,
    :math:`z_f - \max_k z_k`; at 0 is the detector's own threshold. Judged are images that are right
    beneath the flag and that the perturbation, within its budget, turns beneath it: what does no harm needs
    no flag.

    Args:
        caught: Share of them that is flagged at the detector's own threshold.
        auc: How often one of them scores higher than a clean image; ``None`` of half a curve.
        curve: The share that is caught, and before it the share of all clean images that is flagged for it.

    Example:
        >>> import torch
        >>> logits = torch.tensor([[2.0, 0.0, 1.0], [2.0, 0.0, 3.0], [0.0, 2.0, 1.0], [0.0, 2.0, 4.0]])
        >>> y, size = torch.zeros(2, dtype=torch.int64), torch.full((2,), 0.1)
        >>> found = Outcome(torch.arange(2), y, logits[:2], logits[2:], size, size, reject=True)
        >>> detection = Detection.of(found)
        >>> detection.caught.value, detection.auc.value
        (0.5, 0.625)
    """

    caught: Estimate
    auc: Estimate | None
    curve: list[tuple[float, Estimate]]

    @classmethod
    def of(cls, outcome: Outcome, eps: float | None = None, onward: bool = True) -> Self:
        """What is caught of the images of an outcome.

        Args:
            outcome: Outcome of a network that flags inputs.
            eps: The budget; ``None`` for any finite size.
            onward: Whether the search went on where it was not flagged any more. One that ended there says
                nothing of lower thresholds: most of its images would be flagged at one just below, and few
                of those of a search that knows of that one. Its curve ends at the detector's own threshold.
        """
        within = outcome.size.isfinite() & (outcome.size <= (math.inf if eps is None else eps))
        right = outcome.decisions == outcome.labels
        wrong = decide(outcome.perturbed_logits, outcome.reject) != outcome.labels
        clean = suspicion(outcome.logits)
        attacked = suspicion(outcome.perturbed_logits)[right & wrong & within]
        caught, curve = rate(attacked > 0), roc(clean, attacked)
        if onward:
            return cls(caught, auc(clean, attacked), curve)
        own = rate(clean > 0).value
        return cls(caught, None, [*(point for point in curve if point[0] < own), (own, caught)])
