"""Inner representations of a network, seen from outside."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from robust_train.types import Network


@contextmanager
def representation(network: Network, layer: str | None) -> Iterator[Network]:
    """The network up to a layer: ``(N, ...)`` images to ``(N, D)`` activations; its logits without one.

    The layer is that whose name is ``layer`` or ends with it, as wrappers put theirs in front. What
    watches it is removed on exit, also when that is an exception.

    Raises:
        ValueError: The network has no such layer.

    Example:
        >>> import torch
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
        >>> with representation(network, "0") as flat:
        ...     flat(torch.zeros(2, 1, 2, 2)).shape
        torch.Size([2, 4])
    """
    if layer is None:
        yield network
        return
    seen: list[Tensor] = []
    handle = _find(network, layer).register_forward_hook(lambda _, __, output: seen.append(output))

    def activations(x: Tensor) -> Tensor:
        seen.clear()
        network(x)
        return seen[-1].flatten(1)

    try:
        yield activations
    finally:
        handle.remove()


def _find(network: Any, layer: str) -> nn.Module:
    modules: dict[str, nn.Module] = dict(network.named_modules()) if isinstance(network, nn.Module) else {}
    for name, module in modules.items():
        if name == layer or name.endswith(f".{layer}"):
            return module
    names = ", ".join(name for name in modules if name) or "none, as it is a plain function"
    raise ValueError(f"The network has no layer {layer!r}: give one of its layers ({names}).")
