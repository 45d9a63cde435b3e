"""A hundred passes to the smallest l2 perturbation, by whatever algorithm."""

from robust_train.perturbations import DDN, DeepFool
from tests.benchmarks.contest import Attack, Contest
from tests.benchmarks.implementations import OURS, adv_lib, ours
from tests.benchmarks.promises import as_small, finds_all, within_passes

STEPS = 100


def _attacks() -> dict[str, Attack]:
    """FAB takes a hundred steps as well, each of many passes.

    Our start was chosen among five on 256 validation images; DDN's steps are what it leaves of the hundred.
    """
    adv = adv_lib()
    return {
        OURS: ours(DDN(steps=84, start=DeepFool(targets=1, refinements=1))),
        "adv-lib, DDN": lambda f, x, y, rng: adv.ddn(f, x, y, steps=STEPS, levels=None),
        "adv-lib, ALMA": lambda f, x, y, rng: adv.alma(
            f, x, y, distance="l2", num_steps=STEPS, init_lr_distance=0.3
        ),
        "adv-lib, FAB": lambda f, x, y, rng: adv.fab(f, x, y, norm=2, n_iter=STEPS),
    }


_PROMISES = [finds_all(), as_small(), within_passes(STEPS)]
CONTESTS = [
    Contest(
        title="l2 in a hundred passes",
        norm="l2",
        attacks=_attacks,
        promises={"standard": _PROMISES, "adversarial": _PROMISES},
    )
]
