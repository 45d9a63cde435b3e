"""Contexts under which a network is attacked, each undone on exit, also when it raises."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from robust_train.types import Network


@contextmanager
def differentiable() -> Iterator[None]:
    """Gradients flow, whatever mode the caller is in: ``no_grad`` and inference mode included.

    Tensors that were made under inference mode must be cloned inside before they are used.
    """
    with torch.inference_mode(False), torch.enable_grad():
        yield


@contextmanager
def frozen(network: Network) -> Iterator[None]:
    """No parameter of the network asks for a gradient."""
    parameters = [p for p in _modules(network).parameters() if p.requires_grad]
    try:
        for parameter in parameters:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)


@contextmanager
def evaluating(network: Network) -> Iterator[None]:
    """Every module is in evaluation mode; each gets its own flag back."""
    training = [m for m in _modules(network).modules() if m.training]
    try:
        for module in training:
            module.training = False
        yield
    finally:
        for module in training:
            module.training = True


@contextmanager
def untouched(network: Network) -> Iterator[None]:
    """Buffers and the global random state are bit for bit what they were."""
    buffers = [(b, b.detach().clone()) for b in _modules(network).buffers()]
    cuda = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    try:
        with torch.random.fork_rng(devices=cuda):
            yield
    finally:
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)


@contextmanager
def attack_mode(network: Network) -> Iterator[None]:
    """All of the above: what an evaluation runs under, so that nothing leaks out of it."""
    with untouched(network), evaluating(network), frozen(network), differentiable():
        yield


def _modules(network: Network) -> nn.Module:
    """The network as a module; a plain callable has no state that could leak."""
    return network if isinstance(network, nn.Module) else nn.Module()
