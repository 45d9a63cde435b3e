"""Affine maps of the plane."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robust_train.transforms.warp import LinearWarp


@dataclass(frozen=True, kw_only=True)
class Affine(LinearWarp):
    r"""Maps the image by the exponential of an element of the affine group's Lie algebra.

    .. math:: T_\theta(x)(u) = x(e^{-G(\theta)} u), \qquad
        G = \begin{pmatrix} s + q & a + h & t_1 \\ h - a & s - q & t_2 \\ 0 & 0 & 0 \end{pmatrix}

    with the angle a in radians. A multiple of a parameter is further along the same one-parameter
    group: :math:`T_{\alpha\theta} T_{\beta\theta} = T_{(\alpha + \beta)\theta}`, and the inverse
    of a map is that of the negative parameter.

    Example:
        >>> pose = torch.tensor([[0.0, 90.0, 0.0, 0.0, 0.0, 0.0]])
        >>> Affine()(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), pose).round().tolist()
        [[[[2.0, 4.0], [1.0, 3.0]]]]
    """

    names: ClassVar[tuple[str, ...]] = (
        "logarithm of the scale",
        "angle in degrees",
        "stretch along the axes",
        "stretch along the diagonals",
        "shift to the right in pixels",
        "shift down in pixels",
    )
    identity: ClassVar[tuple[float, ...]] = (0.0,) * 6

    def inverse(self, parameters: Tensor) -> Tensor:
        s, angle, q, h, right, down = parameters.unbind(1)
        a, zero = torch.deg2rad(angle), torch.zeros_like(s)
        rows = [[s + q, a + h, right], [h - a, s - q, down], [zero, zero, zero]]
        generator = torch.stack([torch.stack(row, 1) for row in rows], 1)
        inverse: Tensor = torch.linalg.matrix_exp(-generator)
        return inverse[:, :2]
