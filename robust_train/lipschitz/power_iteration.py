"""Spectral norm of any linear map, from below."""

from collections.abc import Callable

import torch
from torch import Tensor

from robust_train.randomness import Streams

_TINY = 1e-300


def power_iteration(
    linear: Callable[[Tensor], Tensor], shape: tuple[int, ...], steps: int = 100, seed: int = 0
) -> float:
    r"""Estimate a spectral norm from below, in float64.

    .. math:: v \leftarrow A^\top A v / \|A^\top A v\|_2, \qquad \|A v\|_2 \le \|A\|_2

    Args:
        linear: ``(1, *shape)`` to anything, linear, without a bias; it is given float64.
        shape: Shape of what it takes.
        steps: Steps of the iteration.
        seed: Seed of the vector to begin with.

    Example:
        >>> round(power_iteration(lambda x: x * torch.tensor([3.0, 1.0]), (2,)), 6)
        3.0
    """
    v = Streams.of(seed, [0]).normal(shape).double()
    for _ in range(steps):
        v.requires_grad_()
        (u,) = torch.autograd.grad(linear(v).square().sum() / 2, v)
        v = u / torch.linalg.vector_norm(u).clamp_min(_TINY)
    size: Tensor = torch.linalg.vector_norm(linear(v.detach()))
    return float(size)
