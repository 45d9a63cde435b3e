"""Almost orthogonal layers: any weights, rescaled so that no difference is stretched."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear

_LEAST = 1e-20  # of a sum: its reciprocal times a bias is still finite


class _AlmostOrthogonal(nn.Module):
    r"""A layer whose weight is rescaled on the smaller of its two sides.

    .. math:: W \operatorname{diag}(t)^{-1/2} \text{ or } \operatorname{diag}(t)^{-1/2} W, \qquad
        t = \mathrm{sums}(W^\top) \text{ or } \mathrm{sums}(W)

    The paper rescales the side of the inputs always.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        size: Side of the kernel.
    """

    def __init__(self, inputs: int, outputs: int, size: int) -> None:
        super().__init__()
        check_odd(self, size)
        self.weight = nn.Parameter(nn.init.orthogonal_(torch.empty(outputs, inputs, size, size)))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def rescaled(self) -> Tensor:
        """``(out, in, k, k)`` the kernel that is applied, of norm at most 1."""
        outputs, inputs = self.weight.shape[:2]
        axis = 0 if outputs <= inputs else 1
        t = sums(self.weight.transpose(0, axis))
        return (self.weight * t.rsqrt().view(-1, 1, 1, 1).transpose(0, axis)).to(self.weight)


class AOLConvolution(_AlmostOrthogonal):
    """A convolution padded with zeros that keeps the size, of norm at most 1.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        size: Side of the kernel, odd.

    Raises:
        ValueError: The side is even: no padding would keep the size.

    References:
        Almost-orthogonal layers for efficient general-purpose Lipschitz networks (Prach and Lampert, 2022)

    Example:
        >>> AOLConvolution(3, 8)(torch.rand(2, 3, 6, 6)).shape
        torch.Size([2, 8, 6, 6])
    """

    def __init__(self, inputs: int, outputs: int, size: int = 3) -> None:
        super().__init__(inputs, outputs, size)

    def forward(self, x: Tensor) -> Tensor:
        return conv2d(x, self.rescaled(), self.bias, padding=self.weight.shape[2] // 2)

    def lipschitz(self, bound: Callable[[nn.Module], float]) -> float:
        """By construction, in exact arithmetic."""
        return 1.0


class AOLDense(_AlmostOrthogonal):
    """A dense layer of norm at most 1.

    Args:
        inputs: Numbers that come in.
        outputs: Numbers that go out.

    References:
        Almost-orthogonal layers for efficient general-purpose Lipschitz networks (Prach and Lampert, 2022)

    Example:
        >>> AOLDense(12, 3)(torch.rand(2, 12)).shape
        torch.Size([2, 3])
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 1)

    @property
    def matrix(self) -> Tensor:
        """``(out, in)`` the matrix that is applied."""
        return self.rescaled().flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.matrix, self.bias)

    def lipschitz(self, bound: Callable[[nn.Module], float]) -> float:
        """By construction, in exact arithmetic."""
        return 1.0


def check_odd(layer: nn.Module, size: int) -> None:
    """Refuse a kernel that is not centred on a pixel."""
    if size < 1 or size % 2 == 0:
        raise ValueError(f"{type(layer).__name__}: the side of the kernel must be odd, not {size}.")


def sums(kernel: Tensor, q: Tensor | None = None) -> Tensor:
    r"""A diagonal above the Gram matrix of the outputs of a convolution, by the sums of its rows.

    .. math:: W W^\top \preceq \operatorname{diag}(t), \qquad t_j = \sum_k |W W^\top|_{jk} \frac{q_k}{q_j}

    over all outputs k of all pixels; zeros around the image leave it valid. In single precision or
    better, also under autocast.

    Args:
        kernel: ``(out, in, k, k)``.
        q: ``(out,)`` positive; ones by default.

    Example:
        >>> sums(torch.tensor([[3.0, 4.0], [0.0, 1.0]])[:, :, None, None])
        tensor([29.,  5.])
    """
    wide = torch.promote_types(kernel.dtype, torch.float32)
    # On a GPU a convolution in single precision may round to ten bits.
    kernel = kernel.to(torch.float64 if kernel.is_cuda else wide)
    with torch.autocast(kernel.device.type, enabled=False):
        gram = conv2d(kernel, kernel, padding=kernel.shape[2] - 1).abs().sum((2, 3))
        total = gram.sum(1) if q is None else gram @ q.to(gram) / q
    return total.clamp_min(_LEAST).to(wide)
