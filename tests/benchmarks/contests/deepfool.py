"""DeepFool, with the published overshoot."""

from robust_train.perturbations import DeepFool
from tests.benchmarks.contest import Attack, Contest
from tests.benchmarks.implementations import OURS, adv_lib, bounded, foolbox, ours, torchattacks
from tests.benchmarks.promises import as_small, faster, finds_all, in_time_of_best

STEPS = 50


def _attacks() -> dict[str, Attack]:
    theirs = foolbox().L2DeepFoolAttack(steps=STEPS)
    return {
        OURS: ours(DeepFool(steps=STEPS)),
        "torchattacks": lambda f, x, y, rng: torchattacks().DeepFool(f, steps=STEPS)(x, y),
        "foolbox": lambda f, x, y, rng: theirs(bounded(f), x, y, epsilons=None)[0],
        "adv-lib": lambda f, x, y, rng: adv_lib().df(f, x, y, steps=STEPS),
    }


_PROMISES = [finds_all(), as_small(0.9), in_time_of_best(2 / 3)]

CONTESTS = [
    Contest(
        title=f"DeepFool-{STEPS} l2",
        norm="l2",
        attacks=_attacks,
        promises={
            "standard": [*_PROMISES, faster(20, than="torchattacks"), faster(20, than="foolbox")],
            "adversarial": _PROMISES,
        },
    )
]
