"""What passes through the parts of a network, in the one forward pass that there is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Activation:
    """One module at work.

    Args:
        module: Of a kind that is watched.
        inputs: ``(N, ...)`` what went in; of a module that works in place, what came out.
        outputs: ``(N, ...)`` what came out.
    """

    module: nn.Module
    inputs: Tensor
    outputs: Tensor


@contextmanager
def recorded(network: nn.Module, kinds: tuple[type[nn.Module], ...]) -> Iterator[list[Activation]]:
    """The activations of all modules of these kinds, in the order in which they run.

    Example:
        >>> import torch
        >>> with recorded(nn.Sequential(nn.Linear(2, 3), nn.ReLU()), (nn.ReLU,)) as activations:
        ...     pass
        >>> activations  # nothing ran
        []
    """
    activations: list[Activation] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...], outputs: Tensor) -> None:
        activations.append(Activation(module, inputs[0], outputs))

    hooks = [m.register_forward_hook(note) for m in network.modules() if kinds and isinstance(m, kinds)]
    try:
        yield activations
    finally:
        for hook in hooks:
            hook.remove()
