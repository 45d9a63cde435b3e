"""The worst of 775 rotations and translations."""

from robust_train.perturbations import WorstPose
from tests.benchmarks.contest import Attack, Contest
from tests.benchmarks.implementations import OURS, bounded, foolbox, ours
from tests.benchmarks.promises import as_strong, faster


def _attacks() -> dict[str, Attack]:
    theirs = foolbox().SpatialAttack(
        max_translation=3, max_rotation=30, num_translations=5, num_rotations=31, grid_search=True
    )
    return {
        OURS: ours(WorstPose()),
        "foolbox": lambda f, x, y, rng: theirs(bounded(f), x, y, epsilons=None)[0],
    }


_PROMISES = [as_strong(), faster(10)]
CONTESTS = [
    Contest(
        title="worst of 775 poses",
        norm="linf",
        attacks=_attacks,
        promises={"standard": _PROMISES, "adversarial": _PROMISES},
        eps=1.0,
    )
]
