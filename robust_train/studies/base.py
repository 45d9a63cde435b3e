"""What every study promises."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

from torch import Tensor

from robust_train.studies.finding import Finding
from robust_train.types import Network

Blocks = Iterable[tuple[Tensor, Tensor, Tensor]]
"""Positions ``(N,)``, images ``(N, C, H, W)`` and labels ``(N,)`` of each block, walked once."""


class Study(ABC):
    """A question about a network and a whole data set, whose answer is a table and a figure.

    Subclasses are frozen dataclasses: fields are what is asked. A study runs in the evaluator's attack
    mode: the network is frozen, evaluates, and is afterwards what it was.

    Example:
        >>> class Brightness(Study):
        ...     def __call__(self, network, blocks, seed):
        ...         mean = sum(inputs.mean().item() for _, inputs, _ in blocks)
        ...         return Finding(f"The images have a mean of {mean:.2f}.", [])
        >>> import torch
        >>> images, labels = torch.full((2, 1, 4, 4), 0.5), torch.tensor([0, 1])
        >>> Brightness()(torch.nn.Flatten(), [(torch.arange(2), images, labels)], seed=0).summary
        'The images have a mean of 0.50.'
    """

    @abstractmethod
    def __call__(self, network: Network, blocks: Blocks, seed: int) -> Finding:
        """Answer it.

        Args:
            network: Images to logits.
            blocks: The data, in its order.
            seed: Seed of all random draws; sample i has the same ones in any block.
        """
