"""Universal perturbations: one vector, learnt from few images, beside the algorithm that found them.

No peer has any, so that the published algorithm is ours too. Both stay inside the box.
"""

from torch import Tensor, nn

from robust_train.perturbations import SharedVector, Universal, UniversalGradient
from robust_train.randomness import Streams
from tests.benchmarks.contest import Attack, Contest, lessons
from tests.benchmarks.implementations import OURS
from tests.benchmarks.promises import fools_more, within_passes

EPS = 0.1
PUBLISHED = f"{OURS}, as published"


def _attacks() -> dict[str, Attack]:
    return {
        OURS: _learning(UniversalGradient(eps=EPS, bounds=(0, 1), batch_size=10)),
        PUBLISHED: _learning(Universal(eps=EPS, bounds=(0, 1), sequential=True)),
    }


def _learning(perturbation: SharedVector) -> Attack:
    def attack(network: nn.Module, x: Tensor, y: Tensor, rng: Streams) -> Tensor:
        count = lessons(len(x))
        fitted = perturbation.fit(network, [(x[:count], y[:count])], Streams.of(rng.seed, [0]))
        return fitted(network, x, y).inputs

    return attack


CONTESTS = [
    Contest(
        title=f"universal linf, eps {EPS:g}",
        norm="linf",
        attacks=_attacks,
        # Ten forward and ten backward passes: twenty in all.
        promises={"standard": [fools_more(1.25, than=PUBLISHED), within_passes(10)]},
        eps=EPS,
        learns=True,
    )
]
