"""DDN: a hundred steps to the smallest l2 perturbation."""

from robust_train.perturbations import DDN
from tests.benchmarks.contest import Attack, Contest
from tests.benchmarks.implementations import OURS, adv_lib, bounded, foolbox, ours
from tests.benchmarks.promises import as_small, finds_all

STEPS = 100


def _attacks() -> dict[str, Attack]:
    theirs = foolbox().DDNAttack(steps=STEPS)
    return {
        OURS: ours(DDN(steps=STEPS)),
        "adv-lib": lambda f, x, y, rng: adv_lib().ddn(f, x, y, steps=STEPS, levels=None),
        "foolbox": lambda f, x, y, rng: theirs(bounded(f), x, y, epsilons=None)[0],
    }


_PROMISES = [finds_all(), as_small()]
CONTESTS = [Contest(f"DDN-{STEPS} l2", "l2", _attacks, {"standard": _PROMISES, "adversarial": _PROMISES})]
