"""Which pixels may change."""

from abc import ABC, abstractmethod

from torch import Tensor


class Mask(ABC):
    """A set of pixels, drawn to the size of the images."""

    @abstractmethod
    def __call__(self, images: Tensor) -> Tensor:
        """``(1, 1, H, W)``, or ``(1, C, H, W)``, true where a pixel of ``(N, C, H, W)`` images may change."""
