"""What is measured: an attack by us and by the peers, and what is promised of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from robust_train.randomness import Streams
from robust_train.types import Norm, predict

from .race import BATCH, Laps, race
from .scoring import Score, score

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
        images: At most so many, and three turns, for the dear ones.
        learns: From the first tenth of the images, which come in one batch with the others: these alone
            are judged, by the labels that the network predicts for them.
    """

    title: str
    norm: Norm
    attacks: Callable[[], dict[str, Attack]]
    promises: Mapping[str, list["Promise"]]
    eps: float = float("inf")
    images: int | None = None
    learns: bool = False

    @property
    def minimal(self) -> bool:
        """Whether sizes are compared, rather than what stands."""
        return self.eps == float("inf")


@dataclass(frozen=True)
class Measured:
    """A contest on one network, with its laps.

    Args:
        contest: What was measured.
        network: Its name.
        images: How many were judged.
        laps: By implementation.
        learnt: How many images were learnt from instead.
    """

    contest: Contest
    network: str
    images: int
    laps: dict[str, Laps]
    learnt: int = 0

    @property
    def paid(self) -> int:
        """The images that costs are shared by: those that are learnt from, where there are any."""
        return self.learnt or self.images


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


def measure(contest: Contest, name: str, network: nn.Module, x: Tensor, y: Tensor, turns: int) -> Measured:
    """Race all implementations on one network, in at least so many turns."""
    if contest.images is not None and contest.images < len(x):
        x, y, turns = x[: contest.images], y[: contest.images], min(3, turns)
    with torch.no_grad():
        predicted = predict(network(x))
    if contest.minimal:
        x, y = x[predicted == y], y[predicted == y]
    if contest.learns:
        y = predicted
    learnt = lessons(len(x)) if contest.learns else 0

    def judge(found: Tensor) -> Score:
        return score(network, x[learnt:], y[learnt:], found[learnt:], p=contest.norm, eps=contest.eps)

    batch = len(x) if contest.learns else BATCH
    repetitions = -(-turns // len(x[::batch]))
    laps = race(contest.attacks(), network, x, y, judge, repetitions, batch)
    return Measured(contest, name, len(x) - learnt, laps, learnt)


def lessons(count: int) -> int:
    """How many of so many images an attack learns from, where it does."""
    return -(-count // 10)


def claims(measured: Measured) -> list[Claim]:
    """What was promised of one contest on one network."""
    about = f"{measured.contest.title}, {measured.network}"
    kept = [promise(measured) for promise in measured.contest.promises.get(measured.network, [])]
    return [Claim(f"{about}: {claim.text}", claim.holds) for claim in kept]
