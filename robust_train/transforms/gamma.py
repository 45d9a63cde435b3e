"""The curve from light to pixels."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robust_train.norms import unsqueeze_like
from robust_train.randomness import Streams
from robust_train.transforms.base import Transform


@dataclass(frozen=True, kw_only=True)
class Gamma(Transform):
    r"""Raises every pixel of [0, 1] to a power, :math:`T_\theta(x) = x^{\exp \theta}`.

    The parameter is the logarithm of the exponent: above 0 the image darkens. What lies outside of
    [0, 1] keeps its sign, which odd powers do.

    Example:
        >>> square = torch.log(torch.tensor([[2.0]]))
        >>> Gamma()(torch.tensor([[[[0.0, 0.5, 1.0]]]]), square)
        tensor([[[[0.0000, 0.2500, 1.0000]]]])
    """

    names: ClassVar[tuple[str, ...]] = ("logarithm of the exponent",)
    identity: ClassVar[tuple[float, ...]] = (0.0,)

    def __call__(self, inputs: Tensor, parameters: Tensor, rng: Streams | None = None) -> Tensor:
        exponent = unsqueeze_like(parameters[:, 0].exp(), inputs).to(inputs)
        # A power has no finite gradient at 0.
        size = inputs.abs().clamp_min(torch.finfo(inputs.dtype).tiny)
        return torch.where(inputs == 0, inputs, inputs.sign() * size**exponent)
