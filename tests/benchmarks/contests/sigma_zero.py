"""sigma-zero: a hundred steps to the fewest components."""

from robust_train.perturbations import SigmaZero
from tests.benchmarks.contest import Attack, Contest
from tests.benchmarks.implementations import OURS, adv_lib, ours
from tests.benchmarks.promises import as_small, finds_all

STEPS = 100


def _attacks() -> dict[str, Attack]:
    return {
        OURS: ours(SigmaZero(steps=STEPS)),
        "adv-lib": lambda f, x, y, rng: adv_lib().sigma_zero(f, x, y, num_steps=STEPS),
    }


_PROMISES = [finds_all(), as_small()]
CONTESTS = [
    Contest(f"sigma-zero-{STEPS} l0", "l0", _attacks, {"standard": _PROMISES, "adversarial": _PROMISES})
]
