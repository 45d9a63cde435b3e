"""What perturbations that train a network of their own share."""

from collections.abc import Callable, Iterator
from copy import deepcopy

import torch
from torch import Tensor, nn

from robust_train.randomness import Streams
from robust_train.types import Batches


def first_images(batches: Batches, count: int, name: str) -> Tensor:
    """The first images, at most so many.

    Raises:
        ValueError: There are none.
    """
    parts = [inputs for inputs, _ in batches if len(inputs)]
    if not parts:
        raise ValueError(f"{name} has no images to learn from: give it training images.")
    return torch.cat(parts)[:count].clone()


def drawn(make: Callable[[], nn.Module], rng: Streams, like: Tensor) -> nn.Module:
    """A network whose matrices and kernels are drawn from the stream, by He's initialisation.

    Biases are zero; the scales of normalisation stay as they were made.
    """
    with torch.random.fork_rng(devices=[]):  # modules draw from the global generator when made
        network = make()
    for number, (name, parameter) in enumerate(network.named_parameters()):
        if parameter.ndim > 1:
            scale = (2 / parameter[0].numel()) ** 0.5
            parameter.data.copy_(scale * rng.fold(number).normal(tuple(parameter.shape))[0])
        elif name.split(".")[-1] == "bias":
            parameter.data.zero_()
    return network.to(like)


def like(network: nn.Module, inputs: Tensor) -> nn.Module:
    """The network in the precision and on the device of the inputs: a copy where its own are others."""
    weight = next(network.parameters(), inputs)
    if (weight.dtype, weight.device) == (inputs.dtype, inputs.device):
        return network
    return deepcopy(network).to(inputs)


def descend(optimizer: torch.optim.Optimizer, loss: Tensor, trained: nn.Module) -> None:
    """One step of the trained network alone: parameters of others that the loss depends on are left alone.

    A loss that is not finite, or that depends on nothing, teaches nothing.
    """
    if not (loss.requires_grad and bool(loss.isfinite())):
        return
    parameters = list(trained.parameters())
    gradients = torch.autograd.grad(loss, parameters)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    optimizer.step()


def shuffled(count: int, epochs: int, batch_size: int, rng: Streams) -> Iterator[Tensor]:
    """Positions of the batches of all epochs, each in an order of its own."""
    for order in rng.uniform((epochs, count))[0].argsort(1):
        yield from torch.split(order, batch_size)
