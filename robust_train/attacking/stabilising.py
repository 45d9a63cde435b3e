"""A network whose gradients single precision, large logits and saturated units cannot hide."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from robust_train.types import Network


@contextmanager
def stabilised(network: Network, slope: float, dtype: torch.dtype) -> Iterator[Network]:
    r"""The network in double precision, with the same labels and with gradients that do not vanish.

    .. math:: z_k \mapsto -\log\big(1 + \max_j z_j - z_k\big), \qquad
        \sigma'(a) \mapsto \max\Big(\sigma'(a), \frac{\kappa}{1 + a^2}\Big)

    The network's own weights are left alone: passes run on twins of them, as whoever waits for the gradient
    of a weight, such as distributed training, would lose sight of one that changes its precision. A plain
    function keeps its precision and its units; a module that casts inside keeps its precision alone.

    Args:
        network: Images to logits.
        slope: kappa, of units (ReLU, sigmoid, tanh) that are modules.
        dtype: Precision of the images for what keeps its own.

    Example:
        >>> saturated = nn.Sequential(nn.Linear(1, 2), nn.Sigmoid())
        >>> saturated[0].bias.data.fill_(50.0)
        tensor([50., 50.])
        >>> x = torch.ones(1, 1, dtype=torch.float64, requires_grad=True)
        >>> with stabilised(saturated, slope=0.01, dtype=torch.float32) as network:
        ...     network(x)[:, 0].sum().backward()
        >>> bool((x.grad != 0).all()), saturated[0].weight.dtype
        (True, torch.float32)
    """
    module = nn.Sequential(network) if isinstance(network, nn.Module) else nn.Module()
    twins = _doubled(module)
    with ExitStack() as stack:
        for unit in module.modules():
            if isinstance(unit, (nn.ReLU, nn.Sigmoid, nn.Tanh)):
                stack.enter_context(_sloped(unit, slope))
        if twins:
            yield lambda x: _compressed(_in_double(network, module, twins, x, dtype).double())
        else:
            yield lambda x: _compressed(network(x.to(dtype)).double())


def _in_double(
    network: Network, module: nn.Module, twins: dict[str, Tensor], x: Tensor, dtype: torch.dtype
) -> Tensor:
    """The logits; where the network casts inside, as it computes them itself."""
    try:
        logits: Tensor = functional_call(module, twins, (x,))
    except torch.OutOfMemoryError:
        raise
    except RuntimeError:  # what is cast inside does not go with weights in double precision
        logits = network(x.to(dtype))
    return logits


def _compressed(logits: Tensor) -> Tensor:
    """In the same order; their softmax falls with a power of the distance rather than exponentially."""
    return -torch.log1p(logits.amax(1, keepdim=True) - logits)


def _doubled(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers in double precision, by name; of what is tied, the first name."""
    weights = (*module.named_parameters(), *module.named_buffers())
    return {name: weight.detach().double() for name, weight in weights if weight.is_floating_point()}


@contextmanager
def _sloped(unit: Any, slope: float) -> Iterator[None]:
    """The same values, and a derivative that falls with a power of the distance at the most."""

    def steepen(_: nn.Module, inputs: tuple[Tensor, ...], y: Tensor) -> Tensor:
        a = inputs[0]
        least = slope / (1 + a.detach().square())
        lacking = (least - derivative(unit, y.detach())).clamp_min(0)
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


def derivative(unit: nn.Module, y: Tensor) -> Tensor:
    """Of a unit (ReLU, sigmoid, tanh), from what it puts out."""
    if isinstance(unit, nn.ReLU):
        return (y > 0).to(y)
    return y * (1 - y) if isinstance(unit, nn.Sigmoid) else 1 - y.square()
