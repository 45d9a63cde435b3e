"""Motions of the plane."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robust_train.transforms.warp import LinearWarp, similarity


@dataclass(frozen=True, kw_only=True)
class Rigid(LinearWarp):
    r"""Turns the image about its center, then shifts it.

    .. math:: T_{a, t}(x)(u) = x(R_a^{-1} (u - t))

    Example:
        >>> pose = torch.tensor([[90.0, 1.0, 0.0]])
        >>> Rigid()(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), pose).round().tolist()
        [[[[0.0, 2.0], [0.0, 1.0]]]]
    """

    names: ClassVar[tuple[str, ...]] = (
        "angle in degrees",
        "shift to the right in pixels",
        "shift down in pixels",
    )
    identity: ClassVar[tuple[float, ...]] = (0.0, 0.0, 0.0)

    def inverse(self, parameters: Tensor) -> Tensor:
        angle, right, down = parameters.unbind(1)
        return similarity(angle, torch.zeros_like(angle), right, down)
