"""FAB: the smallest l2 perturbation in as many passes as a hundred steps of the published search take.

These linearise all classes; ours looks at four, and has three runs of fewer steps for the same passes. That
was chosen among eight ways to spend them on 128 validation images; four halvings more use up what is left.
"""

from robust_train.perturbations import FAB
from tests.benchmarks.contest import Attack, Contest
from tests.benchmarks.implementations import OURS, adv_lib, ours
from tests.benchmarks.promises import as_small, fewer_passes, finds_all

STEPS = 100


def _attacks() -> dict[str, Attack]:
    return {
        OURS: ours(FAB(steps=72, restarts=3, bisections=14)),
        "adv-lib": lambda f, x, y, rng: adv_lib().fab(f, x, y, norm=2, n_iter=STEPS),
    }


_PROMISES = [finds_all(), as_small(), fewer_passes(1)]
_BY_NETWORK = {"standard": _PROMISES, "adversarial": _PROMISES}
CONTESTS = [Contest(f"FAB-{STEPS} l2", "l2", _attacks, _BY_NETWORK, images=128)]
