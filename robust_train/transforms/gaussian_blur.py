"""Blur that is a Gaussian."""

from dataclasses import dataclass
from math import ceil
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from robust_train.randomness import Streams
from robust_train.transforms.base import Transform
from robust_train.transforms.checking import check_images


@dataclass(frozen=True, kw_only=True)
class GaussianBlur(Transform):
    r"""Convolves each image with a Gaussian of its own width.

    .. math:: T_\theta(x) = x * g_\theta, \qquad g_\theta(u) \propto e^{-u^2 / 2 \theta^2}

    The image goes on beyond its border as its outermost pixels; the sign of the width does not matter.

    Args:
        largest: Widest width that is meant, in pixels: the kernels reach three times as far.

    Example:
        >>> x = torch.zeros(1, 1, 5, 5)
        >>> x[..., 2, 2] = 1
        >>> GaussianBlur()(x, torch.tensor([[0.5]]))[0, 0, 2, 1:4]
        tensor([0.0837, 0.6187, 0.0837])
    """

    largest: float = 5.0
    names: ClassVar[tuple[str, ...]] = ("width in pixels",)
    identity: ClassVar[tuple[float, ...]] = (0.0,)

    @property
    def interval(self) -> tuple[float, float]:
        return -self.largest, self.largest

    def __call__(self, inputs: Tensor, parameters: Tensor, rng: Streams | None = None) -> Tensor:
        check_images(self, inputs)
        reach = ceil(3 * self.largest)
        u = torch.arange(-reach, reach + 1, dtype=torch.float64, device=inputs.device)
        width = parameters[:, :1].double().clamp(*self.interval)
        kernel = torch.softmax(-u.square() / (2 * width.square()).clamp_min(1e-6), 1).to(inputs)
        return _along(_along(inputs, kernel, 2), kernel, 3)


def _along(x: Tensor, kernel: Tensor, axis: int) -> Tensor:
    """Each image convolved with its kernel, ``(N, K)``, along one axis."""
    x = x.movedim(axis, 3)
    reach = kernel.shape[1] // 2
    lines = pad(x.flatten(1, 2), (reach, reach), mode="replicate")  # (N, C * lines, length)
    blurred = conv2d(lines[None], kernel[:, None, None], groups=len(x)) if len(x) else lines[None]
    return blurred[0][..., : x.shape[3]].view_as(x).movedim(3, axis)
