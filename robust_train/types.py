"""The nouns that every part shares: networks, goals, perturbed inputs and outcomes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Any, Literal, Self

import torch
from torch import Tensor

__all__ = ["Goal", "Outcome", "Perturbed"]

Network = Callable[[Tensor], Tensor]
"""Images ``(N, C, H, W)`` in pixel units to logits ``(N, K)``."""

Norm = Literal["linf", "l2", "l1", "l0"]
"""Of a perturbation; l0 counts the components that change and is no norm: it has no ball, only minima."""

BallNorm = Literal["linf", "l2", "l1"]
"""Of a budget."""

Bounds = tuple[float, float] | None
"""The box of admissible pixels; ``None`` for the unbounded image space of the theory."""

Batches = Iterable[tuple[Tensor, Tensor]]
"""Images ``(N, C, H, W)`` and labels ``(N,)``, the same in every walk."""


class Rows:
    """Mixin of records whose tensors all have one row per sample."""

    def take(self, rows: Tensor) -> Self:
        """The record of the given rows, ``(M,)`` positions, in their order."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        return type(self)(**{name: take(value, rows) for name, value in values.items()})


def take(value: Any, rows: Tensor) -> Any:
    """The given rows of a tensor or of a record; anything else belongs to all rows."""
    if isinstance(value, Tensor):
        return value[rows]
    return value.take(rows) if hasattr(value, "take") else value


@dataclass(frozen=True, eq=False)
class Goal(Rows):
    """What counts as success, for every search, objective and verdict alike.

    Args:
        labels: ``(N,)`` the labels to leave, or to reach where ``targeted``.
        targeted: Reach ``labels`` instead of leaving them.
        reject: The last logit means "flagged" and is to be avoided too.

    Example:
        >>> import torch
        >>> goal = Goal(torch.tensor([0, 0]))
        >>> goal.margin(torch.tensor([[3.0, 1.0], [1.0, 3.0]]))
        tensor([ 2., -2.])
    """

    labels: Tensor
    targeted: bool = False
    reject: bool = False

    def avoided(self, logits: Tensor) -> Tensor:
        """``(N, K)`` mask of the classes that the goal avoids."""
        label = self.labels.clamp_min(0)[:, None]
        avoided = torch.zeros_like(logits, dtype=torch.bool).scatter_(1, label, True)
        avoided |= self.labels[:, None] < 0  # no prediction: whatever comes instead leaves nothing
        if self.targeted:
            avoided = ~avoided
        if self.reject:
            avoided[:, -1] = True
        return avoided

    def margin(self, logits: Tensor) -> Tensor:
        """``(N,)`` best class to avoid minus best allowed one.

        Negative: the goal is reached. NaN where any logit is not finite: not reached.
        """
        avoided = self.avoided(logits)
        inf = float("inf")
        margin = logits.masked_fill(~avoided, -inf).amax(1) - logits.masked_fill(avoided, -inf).amax(1)
        return margin.masked_fill(~logits.isfinite().all(1), float("nan"))

    def reached(self, logits: Tensor) -> Tensor:
        """``(N,)`` where the margin is negative."""
        return self.margin(logits) < 0


@dataclass(frozen=True, eq=False)
class Perturbed(Rows):
    """What a perturbation returns, per sample.

    Args:
        inputs: ``(N, C, H, W)`` the perturbed inputs.
        size: ``(N,)`` float64, in the regime's metric; ``inf`` (and the clean input) where a minimal
            search found none.
        parameters: ``(N, P)`` pose, severity or place: what images alone do not reveal.

    Example:
        >>> import torch
        >>> found = Perturbed(torch.zeros(2, 1, 2, 2), size=torch.tensor([0.5, torch.inf]))
        >>> found.size.isfinite()  # the search found something for the first image alone
        tensor([ True, False])
    """

    inputs: Tensor
    size: Tensor
    parameters: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Outcome(Rows):
    """What one regime did to a set of samples: the only thing that metrics see.

    Args:
        index: ``(N,)`` int64 position in the data set.
        labels: ``(N,)`` int64 true labels.
        logits: ``(N, K)`` on the clean inputs.
        perturbed_logits: ``(N, K)`` of the deployed network on the perturbed inputs.
        size: ``(N,)`` float64 size of the perturbation, ``inf`` where none was found.
        scale: ``(N,)`` float64 l2 norm of the clean inputs.
        reject: The last logit means "flagged", which no label is: what is flagged is neither right nor
            deceived.

    Example:
        >>> from robust_train.metrics.example import example_outcome
        >>> outcome = example_outcome()
        >>> outcome.predictions, outcome.perturbed_predictions
        (tensor([0, 0, 0, 1]), tensor([1, 1, 0, 1]))
        >>> outcome.deceived
        tensor([ True,  True, False,  True])
    """

    index: Tensor
    labels: Tensor
    logits: Tensor
    perturbed_logits: Tensor
    size: Tensor
    scale: Tensor
    reject: bool = False

    @property
    def predictions(self) -> Tensor:
        """``(N,)`` class of the clean inputs: -1 where a logit is not finite, K - 1 where flagged."""
        return predict(self.logits)

    @property
    def perturbed_predictions(self) -> Tensor:
        """``(N,)`` class of the perturbed inputs, likewise."""
        return predict(self.perturbed_logits)

    @property
    def decisions(self) -> Tensor:
        """``(N,)`` class of the clean inputs, whether they are flagged or not."""
        return decide(self.logits, self.reject)

    @property
    def flagged(self) -> Tensor:
        """``(N,)`` whether the clean inputs are flagged."""
        return (self.predictions == self.logits.shape[1] - 1) & self.reject

    @property
    def perturbed_flagged(self) -> Tensor:
        """``(N,)`` whether the perturbed inputs are."""
        return (self.perturbed_predictions == self.perturbed_logits.shape[1] - 1) & self.reject

    @property
    def deceived(self) -> Tensor:
        """``(N,)`` whether the perturbed inputs are wrong and pass unflagged."""
        return (self.perturbed_predictions != self.labels) & ~self.perturbed_flagged


def suspicion(logits: Tensor) -> Tensor:
    """``(N,)`` how far the flag, the last of ``(N, K)`` logits, is above all classes: flagged where positive.

    Rows with a value that is not finite are not flagged: -inf.

    Example:
        >>> suspicion(torch.tensor([[0.0, 1.0, 3.0], [0.0, 1.0, float("nan")]]))
        tensor([2., -inf])
    """
    lead = logits[:, -1] - logits[:, :-1].amax(1)
    return lead.masked_fill(~logits.isfinite().all(1), -torch.inf)


def decide(logits: Tensor, reject: bool) -> Tensor:
    """``(N, K)`` logits to ``(N,)`` classes; with ``reject``, of those before the last logit.

    Example:
        >>> decide(torch.tensor([[0.0, 1.0, 2.0]]), reject=True)
        tensor([1])
    """
    broken = ~logits.isfinite().all(1)
    return predict(logits[:, :-1] if reject else logits).masked_fill(broken, -1)


def predict(logits: Tensor) -> Tensor:
    """``(N, K)`` logits to ``(N,)`` classes, -1 in rows with a value that is not finite.

    Example:
        >>> predict(torch.tensor([[0.0, 1.0], [float("nan"), 1.0]]))
        tensor([ 1, -1])
    """
    return logits.argmax(1).masked_fill(~logits.isfinite().all(1), -1)
