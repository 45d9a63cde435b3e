"""Inner representations of a network, seen from outside."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from robust_train.types import Network


@contextmanager
def representation(network: Network, layer: str | None) -> Iterator[Network]:
    """The network up to a layer: ``(N, ...)`` images to ``(N, D)`` activations; its logits without one.

    The layer is that whose name is ``layer`` or ends with it, as wrappers put theirs in front. What
    watches it is removed on exit, also when that is an exception.

    Raises:
        ValueError: The network has no such layer, or several.

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
    modules: dict[str, nn.Module] = dict(network.named_modules()) if isinstance(network, nn.Module) else {}
    module = modules[path_of(layer, modules)]
    handle = module.register_forward_hook(lambda _, __, output: seen.append(output))

    def activations(x: Tensor) -> Tensor:
        seen.clear()
        network(x)
        return seen[-1].flatten(1)

    try:
        yield activations
    finally:
        handle.remove()


def path_of(layer: str, names: Iterable[str]) -> str:
    """The name that is that of the layer; else the one behind ``network.`` of wrappers; else the one that
    ends with it.

    Raises:
        ValueError: There is none, or several end with it.

    Example:
        >>> path_of("features.0", ["network.features.0", "network.features.1"])
        'network.features.0'
    """
    known = [name for name in names if name]
    behind = [name for name in known if name.replace("network.", "") == layer]
    ending = [name for name in known if name.endswith(f".{layer}")]
    found = [layer] if layer in known else behind or ending
    if len(found) == 1:
        return found[0]
    which = f"several layers {layer!r}" if found else f"no layer {layer!r}"
    listed = ", ".join(found or known) or "none, as it is a plain function"
    raise ValueError(f"The network has {which}: give one of its layers ({listed}).")
