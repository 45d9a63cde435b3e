"""Which pixels may change."""

from abc import ABC, abstractmethod

from torch import Tensor


class Mask(ABC):
    """A set of pixels, drawn to the size of the images.

    Example:
        >>> import torch
        >>> class UpperHalf(Mask):
        ...     def __call__(self, images):
        ...         rows = torch.arange(images.shape[2]) < images.shape[2] / 2
        ...         return rows[:, None].expand(1, 1, *images.shape[2:])
        >>> UpperHalf()(torch.rand(5, 3, 2, 2))
        tensor([[[[ True,  True],
                  [False, False]]]])
    """

    @abstractmethod
    def __call__(self, images: Tensor) -> Tensor:
        """``(1, 1, H, W)``, or ``(1, C, H, W)``, true where a pixel of ``(N, C, H, W)`` images may change."""
