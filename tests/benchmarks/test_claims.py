from .cases import CASES, Measured
from .claims import claims
from .implementations import OURS, WHOLE
from .race import Lap, Laps
from .scoring import Score


def _laps(cpu=1.0, passes=80, standing=1, size=1.0):
    return Laps([Lap(cpu, cpu, passes // 2, passes // 2, Score(standing, 0, size))] * 3)


def _verdicts(case, laps):
    return [claim.holds for claim in claims(Measured(case, 100, laps))]


def test_pgd_is_held_to_the_fastest_and_to_the_strongest_peer():
    peers = {"torchattacks": _laps(cpu=1.0, standing=3), "adv-lib": _laps(cpu=1.1, standing=0)}
    kept = {OURS: _laps(0.24, 14), WHOLE: _laps(1.02)}
    assert _verdicts(CASES[0], kept | peers) == [True] * 5
    broken = {OURS: _laps(0.26, 18, standing=6), WHOLE: _laps(1.04)}
    assert _verdicts(CASES[0], broken | peers) == [False] * 5


def test_on_the_robust_network_less_is_asked():
    laps = {OURS: _laps(0.7, 60, standing=60), WHOLE: _laps(), "foolbox": _laps(standing=60)}
    assert _verdicts(CASES[3], laps) == [True] * 4


def test_deepfool_is_held_to_the_peer_of_the_smallest_norm():
    peers = {"adv-lib": _laps(1.0, size=0.5), "foolbox": _laps(0.1, size=0.6)}
    assert _verdicts(CASES[-1], peers | {OURS: _laps(0.66, size=0.5)}) == [True, True]
    assert _verdicts(CASES[-1], peers | {OURS: _laps(0.68, size=0.51)}) == [False, False]
