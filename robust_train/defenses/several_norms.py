"""Adversarial training against several perturbations at once."""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from robust_train.attacking.modes import evaluating, frozen
from robust_train.defenses.base import Defense, Step
from robust_train.defenses.precision import widened
from robust_train.defenses.schedule import Ramp, at, check_schedule, ends
from robust_train.perturbations.base import Budgeted, Perturbation, check_fitted


@dataclass(frozen=True)
class SeveralNorms(Defense):
    r"""Train on the worst of several perturbations of a sample, on all of them, or on one at random.

    With :math:`x^k` what the k-th of K perturbations makes of x,

    .. math:: \text{worst: } \max_k J(x_i^k, y_i), \qquad
        \text{average: } \frac{1}{K} \sum_k J(x_i^k, y_i), \qquad
        \text{random: } J(x_i^{k_i}, y_i) \text{ with } k_i \text{ drawn anew in each step}

    The average trains on a batch of K times the length, whose mean loss it is; so the passes of the loss
    cost K times as much, and batch normalisation sees all perturbations together. The random one costs as
    much as one perturbation. While the perturbations are searched, the network is in evaluation mode.

    Args:
        perturbations: The perturbations, each with its own norm and budget, run to its end on every sample.
        mode: Which of them counts for a sample: the ``worst``, the ``average`` of all or a ``random`` one.
        scale: What all budgets but that of a ``Foreign`` are multiplied by; a ramp for budgets that grow
            together.

    Raises:
        ValueError: There are none, one of them has to learn, or the scale is negative or leads to a
            budget that is none.

    References:
        Adversarial training and robustness for multiple perturbations (Tramer and Boneh, 2019)
        Learning to generate noise for multi-attack robustness (Madaan et al., 2021), for the random one

    Example:
        >>> from robust_train import PGD
        >>> defense = SeveralNorms([PGD(eps=0.1, steps=5), PGD(norm="l2", eps=0.5, steps=5)])
    """

    perturbations: list[Perturbation]
    mode: Literal["worst", "average", "random"] = "worst"
    scale: float | Ramp = 1.0

    maximises = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fitted(self, *self.perturbations)
        if not self.perturbations:
            raise ValueError("SeveralNorms: perturbations is empty: give at least one.")
        check_schedule(self, "scale", zero=True)
        for scale in ends(self.scale):
            self._searches(scale)  # which refuses what a member cannot search

    def batch(self, network: nn.Module, step: Step) -> Step:
        with evaluating(network):
            if self.mode == "average":
                return _all(step, self._tries(network, step))
            found = self._worst if self.mode == "worst" else self._random
            return replace(step, inputs=found(network, step))

    def _searches(self, scale: float) -> list[Perturbation]:
        searches = [member.maximising() for member in self.perturbations]
        return [replace(s, eps=scale * s.eps) if isinstance(s, Budgeted) else s for s in searches]

    def _tries(self, network: nn.Module, step: Step) -> list[Tensor]:
        x, y, searches = step.inputs, step.labels, self._searches(at(self.scale, step.progress))
        return [search(network, x, y, rng=step.rng.fold(k)).inputs for k, search in enumerate(searches)]

    def _worst(self, network: nn.Module, step: Step) -> Tensor:
        tries = self._tries(network, step)
        with torch.no_grad(), frozen(network):  # or autocast may keep weights that know no gradient
            losses = [cross_entropy(widened(network(x)), step.labels, reduction="none") for x in tries]
        worst = torch.stack(losses).nan_to_num(-torch.inf, torch.inf, -torch.inf).argmax(0)
        return torch.stack(tries)[worst, torch.arange(len(step.inputs))]

    def _random(self, network: nn.Module, step: Step) -> Tensor:
        x, searches = step.inputs.clone(), self._searches(at(self.scale, step.progress))
        count = len(searches)
        drawn = (step.rng.fold(count).uniform(()) * count).long()
        for k, search in enumerate(searches):
            rows = (drawn == k).nonzero().squeeze(1).to(x.device)
            streams = step.rng.take(rows).fold(k)
            x[rows] = search(network, step.inputs[rows], step.labels[rows], rng=streams).inputs
        return x


def _all(step: Step, tries: list[Tensor]) -> Step:
    """One step on all tries, one after the other."""
    count = len(tries)
    targets, clean, labels = (torch.cat([part] * count) for part in (step.targets, step.clean, step.labels))
    rng = step.rng.repeat(count)
    return replace(step, inputs=torch.cat(tries), targets=targets, clean=clean, labels=labels, rng=rng)
