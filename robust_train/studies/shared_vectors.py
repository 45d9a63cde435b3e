"""What studies of universal perturbations share: images to learn from, others to judge, and the rate."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from robust_train.attacking.rejection import leaving
from robust_train.evaluation.lessons import LEARNING
from robust_train.metrics.estimate import Estimate, rate
from robust_train.perturbations.shared_vector import SharedVector
from robust_train.randomness import Streams
from robust_train.studies.base import Blocks
from robust_train.types import Network

_PARTING = 0x5A1  # purpose of the stream that parts the images


@dataclass(frozen=True, eq=False)
class Parted:
    """Images to learn from, in random order, and the others, on which alone a vector is judged.

    Args:
        lessons: ``(M, C, H, W)``.
        judged: ``(N, C, H, W)``.
        rng: One stream, to learn with.
    """

    lessons: Tensor
    judged: Tensor
    rng: Streams

    @classmethod
    def of(cls, blocks: Blocks, images: int, seed: int) -> "Parted":
        """So many images to learn from, drawn by the seed, but at most half of all.

        Raises:
            ValueError: There are less than two images.
        """
        parts = [inputs for _, inputs, _ in blocks]
        lessons, judged = parting(sum(map(len, parts)), images, seed)
        whole = torch.cat(parts)
        device = whole.device
        return cls(whole[lessons.to(device)], whole[judged.to(device)], Streams.of(seed, [0]).fold(LEARNING))

    def learnt(self, perturbation: SharedVector, network: Network, images: int, purpose: int) -> Tensor:
        """``(C, H, W)`` the vector that is learnt from the first images, with random draws of its own."""
        labels = torch.zeros(len(self.lessons), dtype=torch.int64, device=self.lessons.device)  # never read
        learner = replace(perturbation, images=images)
        vector = learner.fit(network, [(self.lessons, labels)], self.rng.fold(purpose)).vector
        assert vector is not None
        return vector

    def rate(self, perturbation: SharedVector, network: Network, vector: Tensor) -> Estimate:
        """Share of the judged images whose predicted label a vector changes."""
        goal = leaving(network, perturbation.logits(network, self.judged))
        logits = perturbation.logits(network, perturbation.shifted(self.judged, vector))
        return rate(goal.reached(logits))


def parting(total: int, images: int, seed: int) -> tuple[Tensor, Tensor]:
    """Positions to learn from, in random order, so many but at most half of all, and the others, ascending.

    Raises:
        ValueError: There are less than two.
    """
    if total < 2:
        raise ValueError(
            f"A perturbation that learns does so from some images and is judged on others, and there are "
            f"{total}: give two at least."
        )
    order = Streams.of(seed, [0]).fold(_PARTING).uniform((total,))[0].argsort(stable=True)
    count = min(images, total // 2)
    return order[:count], order[count:].sort().values
