"""APGD on the cross-entropy, a hundred steps."""

from robust_train.perturbations import APGD
from tests.benchmarks.contest import Attack, Contest
from tests.benchmarks.contests.pgd import EPS
from tests.benchmarks.implementations import OURS, autoattack, ours, torchattacks
from tests.benchmarks.promises import as_strong, faster

STEPS = 100


def _attacks() -> dict[str, Attack]:
    eps = EPS["linf"]

    def published(f, x, y, rng):  # type: ignore[no-untyped-def]
        attack = autoattack().autopgd_base.APGDAttack(
            f, n_iter=STEPS, norm="Linf", eps=eps, seed=rng.seed, loss="ce", device="cpu"
        )
        return attack.perturb(x, y)

    return {
        OURS: ours(APGD(norm="linf", eps=eps, steps=STEPS)),
        "pyautoattack": published,
        "torchattacks": lambda f, x, y, rng: torchattacks().APGD(f, eps=eps, steps=STEPS, seed=rng.seed)(
            x, y
        ),
    }


CONTESTS = [
    Contest(
        title=f"APGD-CE-{STEPS} linf, eps {EPS['linf']:g}",
        norm="linf",
        attacks=_attacks,
        promises={"standard": [as_strong(), faster(10)], "adversarial": [as_strong(), faster(1.2)]},
        eps=EPS["linf"],
    )
]
