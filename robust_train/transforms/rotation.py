"""Rotations about the center."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robust_train.transforms.warp import LinearWarp, similarity


@dataclass(frozen=True, kw_only=True)
class Rotation(LinearWarp):
    r"""Turns the image about its center, counter-clockwise, by an angle in degrees.

    .. math:: T_\theta(x)(u) = x(R_\theta^{-1} u)

    Example:
        >>> x = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
        >>> Rotation()(x, torch.tensor([[90.0]])).round().tolist()
        [[[[2.0, 4.0], [1.0, 3.0]]]]
    """

    names: ClassVar[tuple[str, ...]] = ("angle in degrees",)
    identity: ClassVar[tuple[float, ...]] = (0.0,)

    def inverse(self, parameters: Tensor) -> Tensor:
        (angle,) = parameters.unbind(1)
        zero = torch.zeros_like(angle)
        return similarity(angle, zero, zero, zero)
