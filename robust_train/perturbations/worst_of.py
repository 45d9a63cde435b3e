"""The strongest of several perturbations, sample by sample."""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from robust_train.attacking.best import Best
from robust_train.perturbations.base import Budgeted, Perturbation, unmeasured
from robust_train.randomness import Streams
from robust_train.types import Batches, Goal, Network, Perturbed


@dataclass(frozen=True, kw_only=True)
class WorstOf(Budgeted):
    r"""Each member in turn, on the samples that still stand; what reaches the goal first counts.

    A minimal member counts where its size is within the budget. A sample that no member breaks
    keeps the try with the smallest margin.

    Args:
        members: Perturbations in the norm of this one; budgeted ones within its eps.
        reach: For each member, how near the goal a sample must have come to be tried: its smallest
            margin so far, as a share of the clean one; what is wrong from the start is near. Infinity tries
            all, and so it is by default.
        drop: Let a sample go once it is fooled; without, as training wants it, every member tries.

    Raises:
        ValueError: A member searches in another norm or beyond the budget, or there are not as many
            reaches as members.

    Example:
        >>> from robust_train.perturbations.fgsm import FGSM
        >>> from robust_train.perturbations.pgd import PGD
        >>> suite = WorstOf(eps=0.1, members=[FGSM(eps=0.1), PGD(eps=0.1)])
        >>> network = torch.nn.Linear(4, 3)
        >>> found = suite(network, torch.full((2, 4), 0.5), torch.tensor([0, 1]))
        >>> bool((found.size <= 0.1).all())
        True
    """

    members: list[Perturbation]
    reach: list[float] | None = None
    drop: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.members:
            raise ValueError("WorstOf: members is empty: give at least one perturbation.")
        if self.reach is not None and len(self.reach) != len(self.members):
            raise ValueError(f"WorstOf: give a reach for each of the {len(self.members)} members, or none.")
        for member in self.members:
            kind, p, eps = type(member).__name__, getattr(member, "norm", None), getattr(member, "eps", None)
            if p != self.norm or (eps or 0) > self.eps:
                raise ValueError(
                    f"WorstOf: {kind} searches {p} {eps or ''} but the budget is {self.norm} {self.eps}: "
                    "give every member this norm and at most this eps."
                )

    @property
    def fitted(self) -> bool:
        return all(member.fitted for member in self.members)

    @property
    def images(self) -> int:
        """How many the members want to learn from, at the most."""
        return max((getattr(m, "images", 0) for m in self.members if not m.fitted), default=0)

    def fit(self, network: Network, batches: Batches, rng: Streams) -> Self:
        fitted = [
            member if member.fitted else member.fit(network, batches, rng.fold(number))
            for number, member in enumerate(self.members)
        ]
        return replace(self, members=fitted)

    def maximising(self) -> Self:
        return replace(self, members=[member.maximising() for member in self.members], drop=False)

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        best = Best(inputs)
        with torch.no_grad():
            clean = goal.margin(network(inputs))
        done = (clean < 0) & self.drop
        for number, member in enumerate(self.members):
            reach = torch.inf if number == 0 or self.reach is None else self.reach[number]
            near = reach == torch.inf or (clean < 0) | (-best.score <= reach * clean)
            rows = (~done & near).nonzero().squeeze(1)
            if not len(rows):
                continue
            goals, streams = goal.take(rows), rng.take(rows).fold(number)
            tried = member(network, inputs[rows], goals.labels, goal=goals, rng=streams)
            # A member may have another box, and none is believed.
            confined = self.ball(inputs[rows]).confine(tried.inputs)
            with torch.no_grad():
                margin = goals.margin(network(confined)).masked_fill(tried.size > self.eps, torch.inf)
            best.update(rows, confined, -margin)
            done[rows] = (margin < 0) & self.drop
        return Perturbed(best.inputs, unmeasured(inputs))
