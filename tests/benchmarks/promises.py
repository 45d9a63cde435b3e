"""What can be promised of a contest: each a function of what was measured."""

from .contest import Claim, Measured, Promise
from .implementations import OURS, PEERS
from .race import Lap, Laps


def fair(low: float, high: float) -> Promise:
    """The budget leaves a share of all images standing that tells attacks apart."""

    def promise(measured: Measured) -> Claim:
        share = measured.laps[OURS].standing / measured.images
        return Claim(
            f"{share:.1%} of all images stand, {low:.0%} to {high:.0%} for a fair test", low <= share <= high
        )

    return promise


def as_strong(allowance: int = 1) -> Promise:
    """No more images stand than after the strongest peer, but for a few."""

    def promise(measured: Measured) -> Claim:
        ours, peers = measured.laps[OURS], _peers(measured)
        best = min(peers, key=lambda name: peers[name].standing)
        return Claim(
            f"{ours.standing:g} images stand, at most {allowance} more than after {best} "
            f"({peers[best].standing:g})",
            ours.standing <= peers[best].standing + allowance,
        )

    return promise


def faster(least: float, *, name: str = OURS, than: str | None = None) -> Promise:
    """So many times faster than the fastest peer, or than one of them."""

    def promise(measured: Measured) -> Claim:
        rival = than or _fastest(measured)
        found = 1 / measured.laps[name].time_over(measured.laps[rival])
        subject = "" if name == OURS else f"{name}: "
        return Claim(f"{subject}{found:.2f}x faster than {rival}, at least {least:g}x", found >= least)

    return promise


def no_slower(name: str, most: float) -> Promise:
    """A mode of ours takes at most so much of the time of the fastest peer."""

    def promise(measured: Measured) -> Claim:
        rival = _fastest(measured)
        share = measured.laps[name].time_over(measured.laps[rival])
        mode = name.removeprefix(f"{OURS}, ")
        return Claim(f"{mode} takes {share:.3f} of the time of {rival}, at most {most:g}", share <= most)

    return promise


def fewer_passes(least: float) -> Promise:
    """So many times fewer passes than the fastest peer."""

    def promise(measured: Measured) -> Claim:
        rival = _fastest(measured)
        found = measured.laps[rival].passes / measured.laps[OURS].passes
        return Claim(f"{found:.1f}x fewer passes than {rival}, at least {least:g}x", found >= least)

    return promise


def as_small(factor: float = 1.0, *, name: str = OURS) -> Promise:
    """The median size is at most that of the best peer, times a factor."""

    def promise(measured: Measured) -> Claim:
        peers = _peers(measured)
        best = min(peers, key=lambda peer: peers[peer](_size))
        mine, theirs = measured.laps[name](_size), peers[best](_size)
        limit = "" if factor == 1 else f"{factor:g} times "
        subject = "" if name == OURS else f"{name}: "
        return Claim(
            f"{subject}median size {mine:.4g}, at most {limit}that of {best} ({theirs:.4g})",
            mine <= factor * theirs,
        )

    return promise


def in_time_of_best(most: float) -> Promise:
    """At most so much of the time of the peer that finds the smallest perturbations."""

    def promise(measured: Measured) -> Claim:
        peers = _peers(measured)
        best = min(peers, key=lambda name: peers[name](_size))
        share = measured.laps[OURS].time_over(peers[best])
        return Claim(f"in {share:.2f} of its time, at most {most:.2f}", share <= most)

    return promise


def finds_all() -> Promise:
    """Every image gets its perturbation."""

    def promise(measured: Measured) -> Claim:
        standing = measured.laps[OURS].standing
        return Claim(f"{standing:g} images without a perturbation, at most 0", standing == 0)

    return promise


def within_passes(most: float) -> Promise:
    """At most so many passes an image, forwards and backwards each."""

    def promise(measured: Measured) -> Claim:
        laps = measured.laps[OURS]
        found = max(laps(_forwards), laps(_backwards)) / measured.paid
        return Claim(f"{found:.1f} passes each way an image, at most {most:g}", found <= most)

    return promise


def fools_more(least: float, than: str) -> Promise:
    """So many times as many images fooled as by another."""

    def promise(measured: Measured) -> Claim:
        mine, theirs = (measured.images - measured.laps[name].standing for name in (OURS, than))
        return Claim(
            f"{mine / measured.images:.1%} of the images fooled, at least {least:g} times what {than} fools "
            f"({theirs / measured.images:.1%})",
            mine >= least * theirs,
        )

    return promise


def _peers(measured: Measured) -> dict[str, Laps]:
    """Everybody else's; what a peer has two of is named after it with a comma."""
    return {name: laps for name, laps in measured.laps.items() if name.partition(",")[0] in PEERS}


def _fastest(measured: Measured) -> str:
    peers = _peers(measured)
    return min(peers, key=lambda name: peers[name](_cpu))


def _cpu(lap: Lap) -> float:
    return lap.cpu


def _size(lap: Lap) -> float:
    return lap.score.size


def _forwards(lap: Lap) -> float:
    return lap.forwards


def _backwards(lap: Lap) -> float:
    return lap.backwards
