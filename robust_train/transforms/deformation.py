"""Smooth deformations."""

from dataclasses import dataclass
from itertools import product
from math import pi
from typing import ClassVar

import torch
from torch import Tensor

from robust_train.transforms.warp import Warp

_WAVES = tuple(product((1, 2), repeat=2))  # half waves across and down the image


@dataclass(frozen=True, kw_only=True)
class Deformation(Warp):
    r"""Moves the content along a smooth field that vanishes at the edges of the image.

    .. math:: T_\theta(x)(u) = x(u - v_\theta(u)), \qquad v_\theta(u) = \sum_{k, l = 1}^2
        \theta_{kl} \sin\Big(\pi k \big(\tfrac{u_1}{W} + \tfrac12\big)\Big)
        \sin\Big(\pi l \big(\tfrac{u_2}{H} + \tfrac12\big)\Big)

    with two components of each coefficient: the amplitude of a wave, in pixels, to the right and down.

    Example:
        >>> pose = torch.zeros(1, 8, dtype=torch.float64)
        >>> pose[0, 0] = 1.0
        >>> Deformation()(torch.tensor([[[[1.0, 2.0, 3.0]]]]), pose).tolist()
        [[[[0.5, 1.0, 2.5]]]]
    """

    names: ClassVar[tuple[str, ...]] = tuple(
        f"wave {k} {m} {side} in pixels" for k, m in _WAVES for side in ("to the right", "down")
    )
    identity: ClassVar[tuple[float, ...]] = (0.0,) * 8

    def source(self, places: Tensor, parameters: Tensor) -> Tensor:
        share = places / (2 * (places.amax(0) + 0.5)) + 0.5
        waves = [(pi * k * share[:, 0]).sin() * (pi * m * share[:, 1]).sin() for k, m in _WAVES]
        amplitudes = parameters.view(len(parameters), len(_WAVES), 2)
        return places - torch.stack(waves, 1) @ amplitudes
