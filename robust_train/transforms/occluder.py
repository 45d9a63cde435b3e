"""A square that covers part of the image."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robust_train.norms import unsqueeze_like
from robust_train.randomness import Streams
from robust_train.transforms.base import Transform
from robust_train.transforms.checking import check_images


@dataclass(frozen=True, kw_only=True)
class Occluder(Transform):
    """Sets the pixels of a square to one value; its corner and its side are the parameters.

    Args:
        value: Value of the pixels, in pixel units; half way between black and white is grey.

    Example:
        >>> x = torch.zeros(1, 1, 3, 3)
        >>> Occluder(value=1.0)(x, torch.tensor([[0, 1, 2]])).squeeze()
        tensor([[0., 1., 1.],
                [0., 1., 1.],
                [0., 0., 0.]])
    """

    value: float = 0.5
    names: ClassVar[tuple[str, ...]] = ("first row", "first column", "side in pixels")
    identity: ClassVar[tuple[float, ...]] = (0.0, 0.0, 0.0)

    def __call__(self, inputs: Tensor, parameters: Tensor, rng: Streams | None = None) -> Tensor:
        check_images(self, inputs)
        top, left, side = (unsqueeze_like(value, inputs) for value in parameters.unbind(1))
        row = torch.arange(inputs.shape[2], device=inputs.device)[:, None]
        column = torch.arange(inputs.shape[3], device=inputs.device)
        covered = (row >= top) & (row < top + side) & (column >= left) & (column < left + side)
        return torch.where(covered, self.value, inputs)
