"""FAB: a hundred steps to the smallest l2 perturbation."""

from robust_train.perturbations import FAB
from tests.benchmarks.contest import Attack, Contest
from tests.benchmarks.implementations import OURS, adv_lib, ours
from tests.benchmarks.promises import as_small, finds_all

STEPS = 100


def _attacks() -> dict[str, Attack]:
    return {
        OURS: ours(FAB(steps=STEPS)),
        "adv-lib": lambda f, x, y, rng: adv_lib().fab(f, x, y, norm=2, n_iter=STEPS),
    }


_PROMISES = [finds_all(), as_small()]
_BY_NETWORK = {"standard": _PROMISES, "adversarial": _PROMISES}
CONTESTS = [Contest(f"FAB-{STEPS} l2", "l2", _attacks, _BY_NETWORK, images=128)]
