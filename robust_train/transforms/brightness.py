"""Light that is added."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from robust_train.norms import unsqueeze_like
from robust_train.randomness import Streams
from robust_train.transforms.base import Transform


@dataclass(frozen=True, kw_only=True)
class Brightness(Transform):
    r"""Adds the same to every pixel, :math:`T_\theta(x) = x + \theta`, in pixel units.

    Example:
        >>> import torch
        >>> Brightness()(torch.zeros(1, 1, 1, 2), torch.tensor([[0.25]]))
        tensor([[[[0.2500, 0.2500]]]])
    """

    names: ClassVar[tuple[str, ...]] = ("shift in pixel units",)
    identity: ClassVar[tuple[float, ...]] = (0.0,)

    def __call__(self, inputs: Tensor, parameters: Tensor, rng: Streams | None = None) -> Tensor:
        return inputs + unsqueeze_like(parameters[:, 0], inputs).to(inputs)
