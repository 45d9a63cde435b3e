"""What the measurements must show, each as a sentence with its figures."""

from dataclasses import dataclass

from .cases import Measured
from .implementations import OURS, PEERS, WHOLE
from .race import Lap, Laps


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


def claims(measured: Measured) -> list[Claim]:
    """The promises about one case."""
    about = f"{measured.case.title}, {measured.case.network}"
    peers = {name: laps for name, laps in measured.laps.items() if name in PEERS}
    make = _pgd if measured.case.attack == "PGD" else _deepfool
    return [Claim(f"{about}: {claim.text}", claim.holds) for claim in make(measured, peers)]


def _pgd(measured: Measured, peers: dict[str, Laps]) -> list[Claim]:
    ours, whole = measured.laps[OURS], measured.laps[WHOLE]
    undefended = measured.case.network == "standard"
    rival = min(peers, key=lambda name: peers[name](_cpu))
    strongest = min(peers, key=lambda name: peers[name].standing)
    fewer, slower = peers[rival].passes / ours.passes, whole.time_over(peers[rival])
    found = [
        _setting(ours.standing / measured.images, undefended),
        Claim(
            f"{ours.standing:g} images stand, at most one more than after {strongest} "
            f"({peers[strongest].standing:g})",
            ours.standing <= peers[strongest].standing + 1,
        ),
        _faster(ours, peers[rival], rival, 4 if undefended else 1.4),
        Claim(f"drop=False takes {slower:.3f} of the time of {rival}, at most 1.03", slower <= 1.03),
    ]
    passes = Claim(f"{fewer:.1f}x fewer passes than {rival}, at least 5x", fewer >= 5)
    return [*found, passes] if undefended else found


def _deepfool(measured: Measured, peers: dict[str, Laps]) -> list[Claim]:
    ours = measured.laps[OURS]
    best = min(peers, key=lambda name: peers[name](_size))
    mine, theirs = ours(_size), peers[best](_size)
    share = ours.time_over(peers[best])
    return [
        Claim(f"median norm {mine:.4g}, at most that of {best} ({theirs:.4g})", mine <= theirs),
        Claim(f"in {share:.2f} of its time, at most 0.67", share <= 2 / 3),
    ]


def _setting(share: float, undefended: bool) -> Claim:
    if undefended:
        return Claim(f"{share:.1%} of all images stand, at most 5 % for a fair test", share <= 0.05)
    return Claim(f"{share:.1%} of all images stand, 57 to 63 % for a fair test", 0.57 <= share <= 0.63)


def _faster(ours: Laps, theirs: Laps, name: str, least: float) -> Claim:
    faster = 1 / ours.time_over(theirs)
    return Claim(f"{faster:.2f}x faster than {name}, at least {least:g}x", faster >= least)


def _cpu(lap: Lap) -> float:
    return lap.cpu


def _size(lap: Lap) -> float:
    return lap.score.size
