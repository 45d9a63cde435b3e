"""The measurements as Markdown."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version

from robust_train.version import version as ours

from .contest import Measured
from .implementations import PEERS, STEP
from .race import BATCH, Lap, Laps

HEAD = (
    "| attack | network | implementation | standing | median norm | outside | forwards | backwards "
    "| cpu ms | wall ms |\n|---|---|---|--:|--:|--:|--:|--:|--:|--:|"
)


def rows(measured: Measured) -> str:
    """A line for each implementation of a case; costs are per image."""
    return "\n".join(_row(measured, name, laps) for name, laps in measured.laps.items())


def setting(images: int, turns: int) -> str:
    """Date, machine kind, versions and how it was measured, in a paragraph."""
    machine = platform.machine().replace("_", "-")
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", *PEERS))
    return (
        f"{datetime.now(UTC):%Y-%m-%d}; {machine}, {os.cpu_count()} cores, one thread; "
        f"Python {platform.python_version()}, robust_train {ours()}, {packages}. "
        f"The first {images} test images of Fashion-MNIST (minimal searches: those that the network gets "
        f"right), {BATCH} at a time in turns; PGD from random starts, in steps of {STEP:g} eps. "
        f"All images at least once, and at least {turns} turns (three on 128 images for the dear ones); "
        "factors of time are medians over turns, other figures over repetitions; what is marked * was "
        "clocked once, for its slowness. Passes and milliseconds are per image, or per image learnt from. "
        "Outside: images that leave the ball or the box by a float64 check. Median norm: images that "
        "still stand count as infinitely far."
    )


def _row(measured: Measured, name: str, laps: Laps) -> str:
    def per_image(figure: str) -> float:
        return laps(lambda lap: getattr(lap, figure)) / measured.paid

    once = "*" if len(laps.laps) < max(len(other.laps) for other in measured.laps.values()) else ""
    cells = [
        measured.contest.title,
        measured.network,
        name + once,
        f"{laps.standing / measured.images:.1%}",
        f"{laps(_size):.3f}" if measured.contest.minimal else "",
        f"{laps(_outside) / measured.images:.1%}",
        f"{per_image('forwards'):.1f}",
        f"{per_image('backwards'):.1f}",
        f"{1e3 * per_image('cpu'):.2f}",
        f"{1e3 * per_image('wall'):.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def _size(lap: Lap) -> float:
    return lap.score.size


def _outside(lap: Lap) -> float:
    return lap.score.outside
