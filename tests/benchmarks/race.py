"""Run implementations side by side and clock them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter, process_time

import torch
from torch import Tensor, nn

from robust_train.attacking.gradients import Counted
from robust_train.randomness import Streams

from .implementations import PEERS
from .scoring import Score

BATCH = 128
_SLOW = 3  # times the fastest peer: such an implementation is clocked once, or a race would take hours


@dataclass(frozen=True)
class Lap:
    """What one implementation did to all images, once.

    Args:
        turns: Processor seconds of the process, for each batch.
        wall: Seconds by the clock.
        forwards: Images that went through the network.
        backwards: Images whose gradients came back.
        score: What that bought.
    """

    turns: list[float]
    wall: float
    forwards: int
    backwards: int
    score: Score

    @property
    def cpu(self) -> float:
        """Processor seconds in all."""
        return sum(self.turns)


@dataclass(frozen=True)
class Laps:
    """The repetitions of one implementation; its figures are their medians."""

    laps: list[Lap]

    def __call__(self, figure: Callable[[Lap], float]) -> float:
        return median(map(figure, self.laps))

    @property
    def standing(self) -> float:
        return self(lambda lap: lap.score.standing)

    @property
    def passes(self) -> float:
        return self(lambda lap: lap.forwards + lap.backwards)

    def time_over(self, other: "Laps") -> float:
        """Processor time over that of another, the median of all turns: both had the same batch and load."""
        laps = zip(self.laps, other.laps, strict=False)
        pairs = (pair for mine, theirs in laps for pair in zip(mine.turns, theirs.turns, strict=True))
        return median(mine / theirs for mine, theirs in pairs)


def race(
    attacks: Mapping[str, Callable[..., Tensor]],
    network: nn.Module,
    x: Tensor,
    y: Tensor,
    judge: Callable[[Tensor], Score],
    repetitions: int,
    batch: int = BATCH,
) -> dict[str, Laps]:
    """Clock every attack on the same images, in turns: batch by batch, in changing order.

    Args:
        attacks: By name.
        network: In evaluation mode.
        x: ``(N, C, H, W)``.
        y: ``(N,)``.
        judge: Scores what an attack made of all images.
        repetitions: Each with its own random draws.
        batch: Images in a turn.
    """
    for attack in attacks.values():  # a first call sets up kernels and caches
        attack(network, x[:8], y[:8], Streams.of(0, range(8)))
    laps: dict[str, list[Lap]] = {name: [] for name in attacks}
    for repetition in range(repetitions):
        limit = _SLOW * min((laps[name][0].cpu for name in PEERS if laps.get(name)), default=float("inf"))
        due = [name for name, runs in laps.items() if not runs or runs[0].cpu <= limit]
        clocks = {name: _Clock(attacks[name], network) for name in due}
        for turn, rows in enumerate(torch.split(torch.arange(len(x)), batch)):
            for name in _rotated(due, repetition + turn):
                clocks[name].run(x[rows], y[rows], Streams.of(repetition, rows))
        for name, clock in clocks.items():
            laps[name].append(clock.lap(judge))
    return {name: Laps(runs) for name, runs in laps.items()}


class _Clock:
    """Sums up what an attack costs, batch by batch."""

    def __init__(self, attack: Callable[..., Tensor], network: nn.Module) -> None:
        self.attack, self.network = attack, Counted(network).eval()
        self.turns: list[float] = []
        self.wall = 0.0
        self.found: list[Tensor] = []

    def run(self, x: Tensor, y: Tensor, rng: Streams) -> None:
        torch.manual_seed(rng.seed * 1_000_003 + int(rng.index[0]))
        cpu, wall = process_time(), perf_counter()
        found = self.attack(self.network, x, y, rng)
        self.turns.append(process_time() - cpu)
        self.wall += perf_counter() - wall
        self.found.append(found.detach())

    def lap(self, judge: Callable[[Tensor], Score]) -> Lap:
        forwards, backwards = self.network.forwards, self.network.backwards
        return Lap(self.turns, self.wall, forwards, backwards, judge(torch.cat(self.found)))


def _rotated(names: list[str], by: int) -> Iterable[str]:
    return names[by % len(names) :] + names[: by % len(names)]
