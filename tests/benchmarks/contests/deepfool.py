"""DeepFool, with the published overshoot.

The hasty mode looks at one rival alone and refines three times, which was chosen on 256 validation images.
"""

from torch import from_numpy

from robust_train.perturbations import DeepFool
from tests.benchmarks.contest import Attack, Contest
from tests.benchmarks.implementations import (
    OURS,
    adv_lib,
    bounded,
    classifier,
    foolbox,
    ours,
    toolbox,
    torchattacks,
)
from tests.benchmarks.promises import as_small, faster, finds_all, in_time_of_best

HASTY = f"{OURS}, hasty"
STEPS = 50


def _attacks() -> dict[str, Attack]:
    theirs = foolbox().L2DeepFoolAttack(steps=STEPS)

    def in_numpy(f, x, y, rng):  # type: ignore[no-untyped-def]
        search = toolbox().DeepFool(classifier(f, x), STEPS, epsilon=0.02, batch_size=len(x), verbose=False)
        return from_numpy(search.generate(x.numpy()))

    return {
        OURS: ours(DeepFool(steps=STEPS)),
        HASTY: ours(DeepFool(steps=STEPS, candidates=2, refinements=3)),
        "torchattacks": lambda f, x, y, rng: torchattacks().DeepFool(f, steps=STEPS)(x, y),
        "foolbox": lambda f, x, y, rng: theirs(bounded(f), x, y, epsilons=None)[0],
        "adv-lib": lambda f, x, y, rng: adv_lib().df(f, x, y, steps=STEPS),
        "adversarial-robustness-toolbox": in_numpy,
    }


_PROMISES = [finds_all(), as_small(0.9), in_time_of_best(2 / 3)]
SLOW = ("torchattacks", "foolbox", "adversarial-robustness-toolbox")
_QUICK = [faster(20, than=peer) for peer in SLOW]
_IN_HASTE = [as_small(name=HASTY), *(faster(20, name=HASTY, than=peer) for peer in SLOW)]

CONTESTS = [
    Contest(
        title=f"DeepFool-{STEPS} l2",
        norm="l2",
        attacks=_attacks,
        promises={
            "standard": [*_PROMISES, *_QUICK, *_IN_HASTE],
            "adversarial": _PROMISES,
        },
    )
]
