"""Contexts under which a network is attacked, each undone on exit, also when it raises."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import is_lazy

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
    """No parameter of the network asks for a gradient; each gets its own flag back."""
    flags = [(p, p.requires_grad) for p in _modules(network).parameters()]
    try:
        for parameter, asks in flags:
            if asks:
                parameter.requires_grad_(False)
        yield
    finally:
        for parameter, asks in flags:
            parameter.requires_grad_(asks)


@contextmanager
def channels_last(network: Network) -> Iterator[None]:
    """Convolutions on the CPU find the weights of a pixel side by side; each gets its own layout back.

    The values are the same and results differ by rounding alone, but passes are faster: for a small
    network on one core, forward ones took 0.6 of the time and those both ways 0.84. Compiled modules are
    left alone, as they are compiled anew for each layout.
    """
    modules = _modules(network).named_modules()
    weights = [w for name, m in modules if "_orig_mod" not in name for w in _convolved(m)]
    before = [w.data for w in weights]
    try:
        for weight in weights:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
        yield
    finally:
        for weight, data in zip(weights, before, strict=True):
            weight.data = data


@contextmanager
def evaluating(network: Network) -> Iterator[None]:
    """Every module is in evaluation mode; each gets its own flag back."""
    flags = [(m, m.training) for m in _modules(network).modules()]
    try:
        for module, _ in flags:
            module.training = False
        yield
    finally:
        for module, training in flags:
            module.training = training


@contextmanager
def untouched(network: Network) -> Iterator[None]:
    """Buffers and the global random states are bit for bit what they were."""
    buffers = [
        (module, name, buffer, buffer.detach().clone())
        for module in _modules(network).modules()
        for name, buffer in module._buffers.items()
        if buffer is not None
    ]
    states = random.getstate(), np.random.get_state()
    cuda = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    try:
        with torch.random.fork_rng(devices=cuda):
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        with torch.no_grad():
            for module, name, buffer, before in buffers:
                # Some networks replace a buffer rather than write to it.
                module._buffers[name] = buffer
                buffer.copy_(before)


@contextmanager
def attack_mode(network: Network) -> Iterator[None]:
    """All of the above: what an evaluation runs under, so that nothing leaks out of it."""
    with untouched(network), evaluating(network), frozen(network), differentiable():
        yield


def _convolved(module: nn.Module) -> list[nn.Parameter]:
    """The weight of a plain convolution; of one that is computed from others, there is nothing to move."""
    weight = module._parameters.get("weight") if isinstance(module, nn.Conv2d) else None
    if weight is None or is_lazy(weight):
        return []
    return [weight] if weight.is_cpu and weight.dtype == torch.float32 else []


def _modules(network: Network) -> nn.Module:
    """The network as a module; a plain callable has no state that could leak."""
    return network if isinstance(network, nn.Module) else nn.Module()
