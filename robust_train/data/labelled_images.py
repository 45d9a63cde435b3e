"""Data sets whose labels are known before their images."""

from abc import ABC, abstractmethod

from torch import Tensor
from torch.utils.data import Dataset

Sample = tuple[Tensor, int]
"""An image ``(C, H, W)``, float32 in [0, 1], and its label."""


class LabelledImages(Dataset[Sample], ABC):
    """Images whose labels are known before any of them is read.

    Args:
        labels: ``(N,)`` int64.
    """

    def __init__(self, labels: Tensor) -> None:
        self.labels = labels

    def __len__(self) -> int:
        return len(self.labels)

    @abstractmethod
    def __getitem__(self, row: int) -> Sample: ...
