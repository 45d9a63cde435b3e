"""The worst of 775 rotations and translations."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robust_train.perturbations import WorstPose
from robust_train.transforms import Rigid
from tests.benchmarks.contest import Attack, Contest
from tests.benchmarks.implementations import OURS, bounded, foolbox, ours
from tests.benchmarks.promises import as_strong, faster

SIDE = 28  # pixels


@dataclass(frozen=True, kw_only=True)
class Theirs(Rigid):
    """The poses that foolbox tries, so that both try the same.

    It shifts in the turned frame, and 27/28 of a pixel for each: no shift of theirs is a whole number of
    pixels, and interpolation blurs them all.
    """

    def inverse(self, parameters: Tensor) -> Tensor:
        angle, right, down = parameters.unbind(1)
        cos, sin = torch.deg2rad(angle).cos(), torch.deg2rad(angle).sin()
        shift = (SIDE - 1) / SIDE * torch.stack([right, down], 1)
        turn = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
        return torch.cat([turn, shift[:, :, None]], 2)


def _attacks() -> dict[str, Attack]:
    theirs = foolbox().SpatialAttack(
        max_translation=3, max_rotation=30, num_translations=5, num_rotations=31, grid_search=True
    )
    return {
        OURS: ours(WorstPose(transform=Theirs())),
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
