"""The boundary on the segments between the inputs and what lies behind it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robust_train.attacking.line_search import bisect
from robust_train.norms import unsqueeze_like
from robust_train.types import Goal, Network, Rows


def pull_back(network: Network, clean: Tensor, behind: Tensor, goal: Goal, rounds: int) -> Tensor:
    """Points between ``clean`` and ``behind`` that reach the goal, as ``behind`` does.

    Args:
        network: Whose logits the goal reads.
        clean: ``(N, ...)`` where the segments begin.
        behind: Where they end.
        goal: What counts.
        rounds: Halvings, each a forward pass.

    Example:
        >>> network = lambda x: torch.cat([0.3 - x, 0 * x], 1)
        >>> goal = Goal(torch.tensor([0]))
        >>> pull_back(network, torch.zeros(1, 1), torch.ones(1, 1), goal, rounds=4)
        tensor([[0.3125]])
    """
    low, high = clean.new_zeros(len(clean)), clean.new_ones(len(clean))
    share = bisect(_Segments(network, clean, behind, goal), low, high, rounds)
    nearer = torch.lerp(clean, behind, unsqueeze_like(share, clean))
    # Where nothing on the way reached it, the very point that did.
    return torch.where(unsqueeze_like(share < 1, clean), nearer, behind)


@dataclass(frozen=True, eq=False)
class _Segments(Rows):
    """Paths whose sizes are shares of the way."""

    network: Network
    clean: Tensor
    behind: Tensor
    goal: Goal

    def __len__(self) -> int:
        return len(self.clean)

    def changed(self, size: Tensor) -> Tensor:
        x = torch.lerp(self.clean, self.behind, unsqueeze_like(size, self.clean))
        with torch.no_grad():
            return self.goal.reached(self.network(x))
