"""Bounds of how much a whole network can stretch a difference of images."""

import math
from collections.abc import Callable, Iterator
from typing import Any, cast

import torch
from torch import Tensor, nn

from robust_train.lipschitz.layer import layer_bound
from robust_train.networks.normalize import Normalize

_KNOWN: dict[type[nn.Module], float] = {
    **dict.fromkeys((nn.Identity, nn.Flatten, nn.Unflatten, nn.PixelShuffle, nn.PixelUnshuffle), 1.0),
    **dict.fromkeys((nn.Dropout, nn.Dropout2d), 1.0),  # the identity, in evaluation mode
    **dict.fromkeys((nn.ReLU, nn.Tanh), 1.0),
    nn.Sigmoid: 0.25,
}


@torch.no_grad()
def lipschitz_bound(network: nn.Module) -> float:
    r"""Upper bound of the l2 Lipschitz constant of a network in evaluation mode, for images of any size.

    .. math:: \|f(x) - f(y)\|_2 \le L \|x - y\|_2, \qquad L = \prod_l L_l

    the product over the layers of a chain: exact for dense ones, ``layer_bound`` for convolutions.
    A module of another kind says its own by a method ``lipschitz(bound)``, which is given this function
    for its parts; a subclass with a ``forward`` of its own needs a ``lipschitz`` of its own. It holds in
    exact arithmetic: rounding of the network's own is not counted.

    Args:
        network: A ``Sequential``, or a module that is known or says its own bound.

    Raises:
        ValueError: A module is of a kind of which no bound is known.

    Example:
        >>> layer = nn.Linear(2, 2)
        >>> layer.weight.data = torch.tensor([[3.0, 0.0], [0.0, 4.0]])
        >>> lipschitz_bound(nn.Sequential(nn.Flatten(), layer, nn.ReLU()))
        4.0
    """
    return math.prod(_of(module) for module in _chain(network))


@torch.no_grad()
def difference_bounds(network: nn.Module, classes: int) -> Tensor:
    r"""``(K, K)`` float64 upper bounds of the Lipschitz constants of differences of two logits.

    .. math:: |(f_j - f_k)(x) - (f_j - f_k)(y)| \le L_{jk} \|x - y\|_2

    Behind a network of constant L a dense last layer W, or a module that says its bound and has such a
    ``matrix``, has :math:`L_{jk} = L \|W_j - W_k\|_2`, which is exact where there is nothing else; of any
    other network it is :math:`\sqrt 2 L`.

    Args:
        network: The network, of the modules that ``lipschitz_bound`` knows.
        classes: Number of logits, K.

    Raises:
        ValueError: A module is of a kind of which no bound is known.

    Example:
        >>> difference_bounds(nn.Sequential(nn.Flatten()), 2).tolist()
        [[1.414..., 1.414...], [1.414..., 1.414...]]
    """
    *body, head = _chain(network)
    if _is(head, nn.Linear):
        weight: Any = head.weight
    elif _owns(head, "lipschitz") and _owns(head, "matrix"):
        weight = head.matrix
    else:
        return torch.full((classes, classes), math.sqrt(2) * lipschitz_bound(network), dtype=torch.float64)
    rows: Tensor = weight.double()
    distances: Tensor = torch.linalg.vector_norm(rows[:, None] - rows[None, :], dim=2)
    return distances * math.prod(map(_of, body))


def _chain(module: nn.Module) -> Iterator[nn.Module]:
    """The modules that run one after another."""
    if _is(module, nn.Sequential):
        for child in cast(nn.Sequential, module):
            yield from _chain(child)
    else:
        yield module


def _of(module: nn.Module) -> float:
    """Bound of one module of a chain."""
    if _owns(module, "lipschitz"):
        own: Any = module
        return float(own.lipschitz(lipschitz_bound))
    for kind, bound in _KNOWN.items():
        if _is(module, kind):
            return bound
    for kind, of in _MEASURED.items():
        if _is(module, kind) and (found := of(module)) is not None:
            return float(found)
    raise ValueError(
        f"No Lipschitz bound is known of {_name(module)}: build the network as a Sequential of known layers, "
        "or give the module a method lipschitz(bound) that returns its own."
    )


def _name(module: nn.Module) -> str:
    """With its settings, unless a whole tree would follow."""
    return type(module).__name__ if any(True for _ in module.children()) else str(module)


def _is(module: nn.Module, kind: type[nn.Module]) -> bool:
    """Whether it does what this kind does: a subclass may do something else."""
    names = ("forward", "_conv_forward")  # a convolution does it in the second
    same = (getattr(type(module), name, None) is getattr(kind, name, None) for name in names)
    return isinstance(module, kind) and all(same)


def _owns(module: nn.Module, name: str) -> bool:
    """Whether its class says this of the forward pass that it has: what is inherited may be of another."""
    for kind in type(module).__mro__:
        if name in vars(kind) or "forward" in vars(kind):
            return name in vars(kind)
    return False


def _of_batch_norm(module: nn.BatchNorm1d | nn.BatchNorm2d) -> Tensor | None:
    if module.running_var is None:
        return None
    scale = (module.running_var.double() + module.eps).rsqrt()
    return (scale if module.weight is None else scale * module.weight.double().abs()).amax()


def _of_average_pool(module: nn.AvgPool2d) -> float | None:
    size = math.prod(_pair(module.kernel_size))
    padded = any(_pair(module.padding))
    if not _apart(module) or (padded and not module.count_include_pad and module.divisor_override is None):
        return None
    return math.sqrt(size) / abs(module.divisor_override or size)


def _apart(module: nn.AvgPool2d | nn.MaxPool2d) -> bool:
    """Whether no two windows of a pool overlap, and all of them are whole."""
    strides, sizes = _pair(module.stride), _pair(module.kernel_size)
    return all(s >= k for s, k in zip(strides, sizes, strict=True)) and not module.ceil_mode


def _pair(value: int | tuple[int, ...]) -> tuple[int, ...]:
    return (value, value) if isinstance(value, int) else value


_MEASURED: dict[type[nn.Module], Callable[[Any], Tensor | float | None]] = {
    Normalize: lambda module: 1 / module.std.double().amin(),
    nn.Linear: layer_bound,
    nn.Conv2d: layer_bound,
    nn.BatchNorm1d: _of_batch_norm,
    nn.BatchNorm2d: _of_batch_norm,
    nn.AvgPool2d: _of_average_pool,
    # It jumps where it becomes linear, which far out is no more than rounding.
    nn.Softplus: lambda module: 1.0 if module.threshold >= 20 else None,
    nn.MaxPool2d: lambda module: 1.0 if _apart(module) and module.dilation in (1, (1, 1)) else None,
    nn.AdaptiveAvgPool2d: lambda module: 1.0 if module.output_size in (1, (1, 1)) else None,
}
