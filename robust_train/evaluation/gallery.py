"""The images of an evaluation that are kept to be shown."""

import torch
from torch import Tensor

from robust_train.evaluation.processes import by_index, gather


class Gallery:
    """Images of a few samples.

    Args:
        positions: Which samples, ``(G,)`` positions in the data set; all of them where it is ``None``.
    """

    def __init__(self, positions: Tensor | None) -> None:
        self._positions = positions
        self._kept: list[tuple[Tensor, Tensor]] = []

    def add(self, index: Tensor, images: Tensor) -> None:
        """Keep those of a block that are wanted, ``(N,)`` positions and ``(N, C, H, W)``."""
        index, images = index.cpu(), images.detach().cpu()
        if self._positions is not None:
            wanted = torch.isin(index, self._positions)
            index, images = index[wanted], images[wanted]
        self._kept.append((index, images))

    def gathered(self) -> tuple[Tensor, ...]:
        """``(G,)`` positions and ``(G, C, H, W)`` images of all processes; every process must call it."""
        index, images = zip(*gather(self._kept), strict=True)
        return by_index(torch.cat(index), torch.cat(images))
