"""The smallest square that changes the label when it covers part of the image."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robust_train.perturbations.base import unmeasured
from robust_train.perturbations.occlusion import Occlusion
from robust_train.randomness import Streams
from robust_train.types import Goal, Network, Perturbed


@dataclass(frozen=True, kw_only=True)
class SmallestOcclusion(Occlusion):
    """Smallest square that changes the label, in whatever place does.

    Sides grow by a pixel; what one side does not reach in any place, the next is tried on.

    Args:
        side: Largest side, as a share of the shorter side of the image: beyond, the sample is censored.

    Example:
        >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 3))
        >>> found = SmallestOcclusion()(network, torch.rand(2, 1, 4, 4), torch.tensor([0, 1]))
        >>> found.size.shape
        torch.Size([2])
    """

    side: float = 1.0
    minimal: ClassVar[bool] = True

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        theta, size = self.transform.neutral(inputs), unmeasured(inputs).fill_(torch.inf)
        for side in range(1, self.longest(inputs) + 1):
            rows = size.isinf().nonzero().squeeze(1)
            if not len(rows):
                break
            worst, margin = self.worst(network, inputs[rows], goal.take(rows), side)
            found = rows[margin < 0]
            theta[found] = worst[margin < 0]
            size[found] = self.length(inputs, theta)[found]
        return Perturbed(self.apply(inputs, theta), size, theta)
