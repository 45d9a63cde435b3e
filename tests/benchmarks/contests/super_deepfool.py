"""SuperDeepFool, as each library has it."""

from robust_train.perturbations import SuperDeepFool
from tests.benchmarks.contest import Attack, Contest
from tests.benchmarks.implementations import OURS, adv_lib, ours
from tests.benchmarks.promises import as_small, finds_all, in_time_of_best


def _attacks() -> dict[str, Attack]:
    return {OURS: ours(SuperDeepFool()), "adv-lib": lambda f, x, y, rng: adv_lib().sdf(f, x, y)}


_PROMISES = [finds_all(), as_small(), in_time_of_best(2 / 3)]
CONTESTS = [Contest("SuperDeepFool l2", "l2", _attacks, {"standard": _PROMISES, "adversarial": _PROMISES})]
