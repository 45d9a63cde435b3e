"""Contrast that is lost or gained."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from robust_train.norms import unsqueeze_like
from robust_train.randomness import Streams
from robust_train.transforms.base import Transform


@dataclass(frozen=True, kw_only=True)
class Contrast(Transform):
    r"""Draws every pixel towards the mean of its image, or away from it.

    .. math:: T_\theta(x) = \bar x + e^\theta (x - \bar x)

    The parameter is the logarithm of the factor, so that half and double are equally far.

    Example:
        >>> import torch
        >>> half = torch.tensor([[-torch.log(torch.tensor(2.0))]])
        >>> Contrast()(torch.tensor([[[[0.0, 1.0]]]]), half)
        tensor([[[[0.2500, 0.7500]]]])
    """

    names: ClassVar[tuple[str, ...]] = ("logarithm of the factor",)
    identity: ClassVar[tuple[float, ...]] = (0.0,)

    def __call__(self, inputs: Tensor, parameters: Tensor, rng: Streams | None = None) -> Tensor:
        mean = unsqueeze_like(inputs.flatten(1).mean(1), inputs)
        return mean + unsqueeze_like(parameters[:, 0].exp(), inputs).to(inputs) * (inputs - mean)
