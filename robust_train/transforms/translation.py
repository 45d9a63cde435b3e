"""Shifts."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robust_train.transforms.warp import LinearWarp, similarity


@dataclass(frozen=True, kw_only=True)
class Translation(LinearWarp):
    r"""Shifts the image to the right and down, in pixels: :math:`T_\theta(x)(u) = x(u - \theta)`.

    Example:
        >>> Translation()(torch.tensor([[[[1.0, 2.0, 3.0]]]]), torch.tensor([[1.0, 0.0]])).tolist()
        [[[[0.0, 1.0, 2.0]]]]
    """

    names: ClassVar[tuple[str, ...]] = ("shift to the right in pixels", "shift down in pixels")
    identity: ClassVar[tuple[float, ...]] = (0.0, 0.0)

    def inverse(self, parameters: Tensor) -> Tensor:
        right, down = parameters.unbind(1)
        return similarity(torch.zeros_like(right), torch.zeros_like(right), right, down)
