"""AutoAttack, and the plan that takes its place."""

from robust_train.perturbations import adaptive_attack, auto_attack
from tests.benchmarks.contest import Attack, Contest
from tests.benchmarks.contests.pgd import EPS
from tests.benchmarks.implementations import OURS, autoattack, ours
from tests.benchmarks.promises import as_strong, faster

_EXACT = f"{OURS}, auto_attack"


def _attacks() -> dict[str, Attack]:
    eps = EPS["linf"]

    def published(f, x, y, rng):  # type: ignore[no-untyped-def]
        attack = autoattack().AutoAttack(
            f, norm="Linf", eps=eps, seed=rng.seed, version="standard", device="cpu"
        )
        return attack.run_standard_evaluation(x, y, batch_size=len(x))[0]

    return {
        OURS: ours(adaptive_attack("linf", eps)),
        _EXACT: ours(auto_attack("linf", eps)),
        "pyautoattack": published,
    }


CONTESTS = [
    Contest(
        title=f"AutoAttack and the adaptive plan, linf, eps {EPS['linf']:g}",
        norm="linf",
        attacks=_attacks,
        promises={
            "standard": [as_strong(0), faster(5), faster(1.5, name=_EXACT)],
            "adversarial": [as_strong(0), faster(40), faster(1.5, name=_EXACT)],
        },
        eps=EPS["linf"],
        images=128,
    )
]
