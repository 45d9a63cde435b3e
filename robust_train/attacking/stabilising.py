"""A network whose gradients single precision, large logits and saturated units cannot hide."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from robust_train.types import Network


@contextmanager
def stabilised(network: Network, spread: float, slope: float) -> Iterator[Network]:
    r"""The network in double precision, with the same labels and with gradients that do not vanish.

    .. math:: z \mapsto s\, \frac{z}{\max_k z_k - \min_k z_k}, \qquad
        \sigma'(a) \mapsto \max(\sigma'(a), \kappa)

    The divisor of each sample takes no part in the gradient. Weights are cast in place, and get their own
    values back on exit, also when that is an exception. Of a plain function, only the logits can be scaled.

    Args:
        network: Images to logits.
        spread: s, of the logits.
        slope: kappa, the least derivative of units (ReLU, sigmoid, tanh) that are modules.

    Example:
        >>> saturated = nn.Sequential(nn.Linear(1, 2), nn.Sigmoid())
        >>> saturated[0].bias.data.fill_(50.0)
        tensor([50., 50.])
        >>> x = torch.ones(1, 1, dtype=torch.float64, requires_grad=True)
        >>> with stabilised(saturated, spread=1.0, slope=0.01) as network:
        ...     network(x)[:, 0].sum().backward()
        >>> x.grad is not None, saturated[0].weight.dtype
        (True, torch.float32)
    """
    module = network if isinstance(network, nn.Module) else nn.Module()
    with ExitStack() as stack:
        stack.enter_context(_doubled(module))
        for unit in module.modules():
            if isinstance(unit, (nn.ReLU, nn.Sigmoid, nn.Tanh)):
                stack.enter_context(_sloped(unit, slope))
        yield lambda x: _scaled(network(x), spread)


def _scaled(logits: Tensor, spread: float) -> Tensor:
    extent = (logits.amax(1, keepdim=True) - logits.amin(1, keepdim=True)).detach()
    return logits * torch.where(extent == 0, 1.0, spread / extent)


@contextmanager
def _doubled(module: nn.Module) -> Iterator[None]:
    """Weights and buffers in double precision; each gets its own values back."""
    tensors = [t for t in (*module.parameters(), *module.buffers()) if t.is_floating_point()]
    before = [tensor.data for tensor in tensors]
    try:
        for tensor in tensors:
            tensor.data = tensor.data.double()
        yield
    finally:
        for tensor, data in zip(tensors, before, strict=True):
            tensor.data = data


@contextmanager
def _sloped(unit: Any, slope: float) -> Iterator[None]:
    """The same values, and a derivative of at least the slope."""

    def steepen(_: nn.Module, inputs: tuple[Tensor, ...], y: Tensor) -> Tensor:
        a = inputs[0]
        lacking = (slope - _derivative(unit, y.detach())).clamp_min(0)
        return y + lacking * (a - a.detach())

    inplace, handle = getattr(unit, "inplace", False), unit.register_forward_hook(steepen)
    try:
        if inplace:
            unit.inplace = False  # or what went in would be lost
        yield
    finally:
        handle.remove()
        if inplace:
            unit.inplace = True


def _derivative(unit: nn.Module, y: Tensor) -> Tensor:
    """Of a unit, from what it puts out."""
    if isinstance(unit, nn.ReLU):
        return (y > 0).to(y)
    return y * (1 - y) if isinstance(unit, nn.Sigmoid) else 1 - y.square()
