"""Dilations about the center."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robust_train.transforms.warp import LinearWarp, similarity


@dataclass(frozen=True, kw_only=True)
class Dilation(LinearWarp):
    r"""Enlarges the image about its center by a factor, given by its natural logarithm.

    .. math:: T_\theta(x)(u) = x(e^{-\theta} u)

    Example:
        >>> half = torch.tensor([[0.5]]).log()
        >>> Dilation()(torch.ones(1, 1, 4, 4), half).sum().item()
        4.0
    """

    names: ClassVar[tuple[str, ...]] = ("logarithm of the scale",)
    identity: ClassVar[tuple[float, ...]] = (0.0,)

    def inverse(self, parameters: Tensor) -> Tensor:
        (log_scale,) = parameters.unbind(1)
        zero = torch.zeros_like(log_scale)
        return similarity(zero, log_scale, zero, zero)
