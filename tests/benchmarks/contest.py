"""What is measured: an attack by us and by the peers, and what is promised of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from robust_train.randomness import Streams
from robust_train.types import Norm, predict

from .race import Laps, race
from .scoring import score

Attack = Callable[[nn.Module, Tensor, Tensor, Streams], Tensor]
"""``(network, inputs, labels, rng) -> perturbed``; peers draw from torch's global generator instead."""


@dataclass(frozen=True)
class Contest:
    """One algorithm, by everybody who has it.

    Args:
        title: The algorithm and its hyper-parameters.
        norm: Of the budget, or of what is minimised.
        attacks: Makes the implementations by name, ours first; peers are imported only then.
        promises: By network: what ours must show beside the others.
        eps: The budget; infinity where the smallest perturbation is asked for, of the images that the
            network gets right.
        images: At most so many, and three repetitions, for the dear ones.
    """

    title: str
    norm: Norm
    attacks: Callable[[], dict[str, Attack]]
    promises: Mapping[str, list["Promise"]]
    eps: float = float("inf")
    images: int | None = None

    @property
    def minimal(self) -> bool:
        """Whether sizes are compared, rather than what stands."""
        return self.eps == float("inf")


@dataclass(frozen=True)
class Measured:
    """A contest on one network, with its number of images and its laps."""

    contest: Contest
    network: str
    images: int
    laps: dict[str, Laps]


@dataclass(frozen=True)
class Claim:
    """One promise and whether it is kept.

    Args:
        text: The promise and the figures.
        holds: Whether they keep it.
    """

    text: str
    holds: bool

    def __str__(self) -> str:
        return f"- {'PASS' if self.holds else 'FALLS SHORT'}: {self.text}"


Promise = Callable[[Measured], Claim]


def measure(
    contest: Contest, name: str, network: nn.Module, x: Tensor, y: Tensor, repetitions: int
) -> Measured:
    """Race all implementations on one network."""
    if contest.images is not None and contest.images < len(x):
        x, y, repetitions = x[: contest.images], y[: contest.images], min(3, repetitions)
    if contest.minimal:
        with torch.no_grad():
            right = predict(network(x)) == y
        x, y = x[right], y[right]
    judge = partial(score, network, x, y, p=contest.norm, eps=contest.eps)
    return Measured(contest, name, len(x), race(contest.attacks(), network, x, y, judge, repetitions))


def claims(measured: Measured) -> list[Claim]:
    """What was promised of one contest on one network."""
    about = f"{measured.contest.title}, {measured.network}"
    kept = [promise(measured) for promise in measured.contest.promises.get(measured.network, [])]
    return [Claim(f"{about}: {claim.text}", claim.holds) for claim in kept]
