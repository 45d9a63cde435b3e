"""Similarities of the plane."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from robust_train.transforms.warp import LinearWarp, similarity


@dataclass(frozen=True, kw_only=True)
class Similarity(LinearWarp):
    r"""Turns and scales the image about its center, then shifts it.

    .. math:: T_{a, s, t}(x)(u) = x(e^{-s} R_a^{-1} (u - t))

    Example:
        >>> import torch
        >>> pose = torch.tensor([[90.0, 0.0, 1.0, 0.0]])
        >>> Similarity()(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), pose).round().tolist()
        [[[[0.0, 2.0], [0.0, 1.0]]]]
    """

    names: ClassVar[tuple[str, ...]] = (
        "angle in degrees",
        "logarithm of the scale",
        "shift to the right in pixels",
        "shift down in pixels",
    )
    identity: ClassVar[tuple[float, ...]] = (0.0, 0.0, 0.0, 0.0)

    def inverse(self, parameters: Tensor) -> Tensor:
        return similarity(*parameters.unbind(1))
