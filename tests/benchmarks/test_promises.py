import pytest

from . import promises
from .contest import Contest, Measured, claims
from .contests.deepfool import CONTESTS as DEEPFOOL
from .contests.deepfool import HASTY, SLOW
from .contests.pgd import CONTESTS as PGD
from .contests.universal import CONTESTS as UNIVERSAL
from .contests.universal import PUBLISHED
from .implementations import OURS, WHOLE
from .race import Lap, Laps
from .scoring import Score


def _laps(cpu=1.0, passes=80, standing=1, size=1.0):
    return Laps([Lap([cpu], cpu, passes // 2, passes // 2, Score(standing, 0, size))] * 3)


def test_what_is_learnt_is_paid_by_the_images_that_it_is_learnt_from():
    theirs = _laps(passes=2000, standing=44)
    for learnt, standing, kept in ((10, 30, [True, True]), (9, 31, [False, False])):
        laps = {OURS: _laps(passes=200, standing=standing), PUBLISHED: theirs}
        measured = Measured(UNIVERSAL[0], "standard", 100, laps, learnt)
        assert [claim.holds for claim in claims(measured)] == kept


def _verdicts(contest, network, laps):
    return [claim.holds for claim in claims(Measured(contest, network, 100, laps))]


def test_pgd_is_held_to_the_fastest_and_to_the_strongest_peer():
    peers = {"torchattacks": _laps(cpu=1.0, standing=3), "adv-lib": _laps(cpu=1.1, standing=0)}
    kept = {OURS: _laps(0.24, 14), WHOLE: _laps(1.02)}
    assert _verdicts(PGD[0], "standard", kept | peers) == [True] * 5
    broken = {OURS: _laps(0.26, 18, standing=6), WHOLE: _laps(1.04)}
    assert _verdicts(PGD[0], "standard", broken | peers) == [False] * 5


def test_on_the_robust_network_less_is_asked():
    laps = {OURS: _laps(0.7, 60, standing=60), WHOLE: _laps(), "foolbox": _laps(standing=60)}
    assert _verdicts(PGD[0], "adversarial", laps) == [True] * 4


def test_deepfool_is_held_to_the_peer_of_the_smallest_norm():
    peers = {"adv-lib": _laps(1.0, size=0.5), "foolbox": _laps(0.1, size=0.6)}
    kept = {OURS: _laps(0.66, standing=0, size=0.45)}
    assert _verdicts(DEEPFOOL[0], "adversarial", peers | kept) == [True] * 3
    assert _verdicts(DEEPFOOL[0], "adversarial", peers | {OURS: _laps(0.68, size=0.46)}) == [False] * 3


def test_the_hasty_deepfool_is_held_to_the_slow_peers_and_to_the_smallest_norm():
    slow = {name: _laps(1.0, size=0.6) for name in SLOW}
    peers = slow | {"adv-lib": _laps(0.1, size=0.5), OURS: _laps(0.05, standing=0, size=0.45)}
    assert _verdicts(DEEPFOOL[0], "standard", peers | {HASTY: _laps(0.049, size=0.5)}) == [True] * 10
    broken = [True] * 6 + [False] * 4
    assert _verdicts(DEEPFOOL[0], "standard", peers | {HASTY: _laps(0.051, size=0.51)}) == broken


@pytest.mark.parametrize(
    ("promise", "kept", "broken"),
    [
        (promises.within_passes(100), _laps(passes=20_000), _laps(passes=20_200)),
        (promises.faster(2, than="foolbox"), _laps(0.5), _laps(0.51)),
        (promises.finds_all(), _laps(standing=0), _laps(standing=1)),
    ],
)
def test_single_promises(promise, kept, broken):
    contest = Contest("title", "l2", dict, {"standard": [promise]})
    assert _verdicts(contest, "standard", {OURS: kept, "foolbox": _laps()}) == [True]
    assert _verdicts(contest, "standard", {OURS: broken, "foolbox": _laps()}) == [False]
