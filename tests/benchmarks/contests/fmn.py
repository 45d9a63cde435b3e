"""FMN: a hundred steps to the smallest perturbation of any norm."""

from robust_train.perturbations import FMN
from robust_train.types import Norm
from tests.benchmarks.contest import Attack, Contest
from tests.benchmarks.implementations import OURS, adv_lib, bounded, foolbox, ours
from tests.benchmarks.promises import as_small, finds_all

STEPS = 100
_ORDER = {"linf": float("inf"), "l2": 2, "l1": 1, "l0": 0}


def _attacks(norm: Norm) -> dict[str, Attack]:
    kinds = {"linf": "LInfFMNAttack", "l2": "L2FMNAttack", "l1": "L1FMNAttack", "l0": "L0FMNAttack"}
    theirs = getattr(foolbox(), kinds[norm])(steps=STEPS)
    return {
        OURS: ours(FMN(norm=norm, steps=STEPS)),
        "adv-lib": lambda f, x, y, rng: adv_lib().fmn(f, x, y, norm=_ORDER[norm], steps=STEPS),
        "foolbox": lambda f, x, y, rng: theirs(bounded(f), x, y, epsilons=None)[0],
    }


def _contest(norm: Norm) -> Contest:
    promises = [finds_all(), as_small()]
    by_network = {"standard": promises, "adversarial": promises}
    return Contest(f"FMN-{STEPS} {norm}", norm, lambda: _attacks(norm), by_network)


CONTESTS = [_contest("linf"), _contest("l2"), _contest("l1"), _contest("l0")]
