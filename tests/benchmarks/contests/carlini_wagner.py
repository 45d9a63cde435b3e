"""Carlini and Wagner's search, with as many values of the weight and as many steps for everybody.

The hasty mode is ours with the same numbers, but samples leave a minimisation and the search sooner.
"""

from dataclasses import replace

from robust_train.perturbations import CarliniWagner
from tests.benchmarks.contest import Attack, Contest
from tests.benchmarks.implementations import OURS, adv_lib, bounded, foolbox, ours
from tests.benchmarks.promises import as_small, faster, finds_all

HASTY = f"{OURS}, hasty"
SEARCHES, STEPS, FIRST, LEARNING_RATE = 9, 100, 0.01, 0.01


def _attacks() -> dict[str, Attack]:
    theirs = foolbox().L2CarliniWagnerAttack(
        binary_search_steps=SEARCHES, steps=STEPS, stepsize=LEARNING_RATE, initial_const=FIRST
    )
    mine = CarliniWagner(
        binary_search_steps=SEARCHES, steps=STEPS, learning_rate=LEARNING_RATE, initial_const=FIRST
    )
    return {
        OURS: ours(mine),
        HASTY: ours(replace(mine, progress=0.035, checks=20, ratio=3.5)),
        "adv-lib": lambda f, x, y, rng: adv_lib().carlini_wagner_l2(
            f,
            x,
            y,
            binary_search_steps=SEARCHES,
            max_iterations=STEPS,
            learning_rate=LEARNING_RATE,
            initial_const=FIRST,
        ),
        "foolbox": lambda f, x, y, rng: theirs(bounded(f), x, y, epsilons=None)[0],
    }


CONTESTS = [
    Contest(
        title=f"Carlini-Wagner {SEARCHES} x {STEPS} l2",
        norm="l2",
        attacks=_attacks,
        promises={
            "standard": [finds_all(), as_small(), as_small(name=HASTY), faster(5, name=HASTY)],
            "adversarial": [as_small()],
        },
        images=128,
    )
]
