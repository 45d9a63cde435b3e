"""Residual layers that stretch no difference, from semidefinite programming."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, linear, relu

from robust_train.networks.aol import check_odd, sums


class _ResidualLayer(nn.Module):
    """Weights of a layer from ``width`` channels to ``inner`` ones, and back by their transpose.

    Args:
        width: Channels that come in and go out.
        inner: Channels between.
        size: Side of the kernel.
    """

    def __init__(self, width: int, inner: int, size: int) -> None:
        super().__init__()
        check_odd(self, size)
        self.weight = nn.Parameter(nn.init.orthogonal_(torch.empty(inner, width, size, size)))
        self.bias = nn.Parameter(torch.zeros(inner))
        self.log_q = nn.Parameter(torch.zeros(inner))

    def scale(self) -> Tensor:
        """``(inner,)`` what units are multiplied by on the way back."""
        return (2 / sums(self.weight, self.log_q.exp())).to(self.weight)


class SLLConvolution(_ResidualLayer):
    r"""A convolutional residual layer of Lipschitz constant 1, with a bottleneck of rectified units.

    .. math:: x \mapsto x - 2 W^\top T^{-1} \sigma(W x + b), \qquad
        T = \operatorname{diag}\Big(\sum_k |W W^\top|_{jk} \frac{q_k}{q_j}\Big)

    for any W, b and positive q, all of which are learnt; padded with zeros, it keeps the size.

    Args:
        width: Channels that come in and go out.
        inner: Channels between; as many by default.
        size: Side of the kernel, odd.

    Raises:
        ValueError: The side is even: no padding would keep the size.

    References:
        A unified algebraic perspective on Lipschitz neural networks (Araujo et al., 2023)

    Example:
        >>> SLLConvolution(8)(torch.rand(2, 8, 6, 6)).shape
        torch.Size([2, 8, 6, 6])
    """

    def __init__(self, width: int, inner: int | None = None, size: int = 3) -> None:
        super().__init__(width, inner or width, size)

    def forward(self, x: Tensor) -> Tensor:
        padding = self.weight.shape[2] // 2
        h = relu(conv2d(x, self.weight, self.bias, padding=padding))
        return x - conv_transpose2d(h * self.scale().view(-1, 1, 1), self.weight, padding=padding)

    def lipschitz(self, bound: Callable[[nn.Module], float]) -> float:
        """By construction, in exact arithmetic."""
        return 1.0


class SLLDense(_ResidualLayer):
    """A dense residual layer of Lipschitz constant 1: ``SLLConvolution`` of a single pixel.

    Args:
        width: Numbers that come in and go out.
        inner: Numbers between; as many by default.

    References:
        A unified algebraic perspective on Lipschitz neural networks (Araujo et al., 2023)

    Example:
        >>> SLLDense(8)(torch.rand(2, 8)).shape
        torch.Size([2, 8])
    """

    def __init__(self, width: int, inner: int | None = None) -> None:
        super().__init__(width, inner or width, 1)

    def forward(self, x: Tensor) -> Tensor:
        w = self.weight.flatten(1)
        return x - linear(relu(linear(x, w, self.bias)) * self.scale(), w.T)

    def lipschitz(self, bound: Callable[[nn.Module], float]) -> float:
        """By construction, in exact arithmetic."""
        return 1.0
