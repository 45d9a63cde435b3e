"""Small networks of which something is known, and random linear cases to attack."""

from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from torch import Tensor, nn


def linear(shape, classes, dtype=torch.float64):
    """Its minimal perturbations are known in closed form; the last layer has the weights."""
    return nn.Sequential(nn.Flatten(), nn.Linear(prod(shape), classes)).to(dtype)


def convolutional(classes=10, dtype=torch.float32):
    """For 8x8 images; batch normalisation and dropout make it one that has much to leak."""
    features = [nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5), nn.AvgPool2d(2)]
    network = nn.Sequential(*features, nn.Flatten(), nn.Linear(64, classes)).to(dtype)
    network[1].running_mean.normal_()
    network[1].running_var.uniform_(0.5, 2)
    # Larger than a fresh layer, so that attacks of the usual size break some images and not others.
    network[-1].weight.data.mul_(4)
    return network.eval()


def curved(shape, classes, dtype=torch.float64):
    """Its regions meet around the grey image, so that images in [0, 1] are of every class."""
    first, last = nn.Linear(prod(shape), 24), nn.Linear(24, classes)
    first.weight.data.normal_(std=0.7)
    first.bias.data = -0.5 * first.weight.data.sum(1)
    last.weight.data.normal_()
    last.bias.data.zero_()
    return nn.Sequential(nn.Flatten(), first, nn.Tanh(), last).to(dtype)


@dataclass(frozen=True)
class Case:
    """A random linear network, inputs in [0, 1], and what it predicts for them."""

    network: nn.Module
    inputs: Tensor
    labels: Tensor


def linear_case(seed, classes=None, walls=False):
    """2 to 10 classes, 1 to 3 input dimensions, batch 1 to 64; half of the pixels 0 or 1 with ``walls``."""
    draw = np.random.default_rng(seed)
    shape = tuple(draw.integers(2, 6, size=draw.integers(1, 4)).tolist())
    torch.manual_seed(seed)
    network = linear(shape, int(classes or draw.integers(2, 11)))
    inputs = torch.rand(int(draw.integers(1, 65)), *shape, dtype=torch.float64)
    inputs = (2 * inputs - 0.5).clamp(0, 1) if walls else inputs
    return Case(network, inputs, network(inputs).argmax(1))


class Ellipsoid(nn.Module):
    """Class 0 inside the ellipsoid with these half-axes, class 1 outside; equal ones make a ball."""

    def __init__(self, half_axes):
        super().__init__()
        self.register_buffer("half_axes", torch.tensor(half_axes, dtype=torch.float64))

    def forward(self, x):
        inside = 1 - (x.flatten(1) / self.half_axes).norm(dim=1)
        return torch.stack([inside, torch.zeros_like(inside)], 1)


def inside_the_ball(radius=2.0):
    """32 images of 3 x 4 pixels, from near its center to near its surface."""
    x = torch.randn(32, 3, 4, dtype=torch.float64)
    rho = radius * torch.linspace(0.05, 0.95, 32, dtype=torch.float64)
    return x * (rho / x.flatten(1).norm(dim=1))[:, None, None]


class Placed(nn.Module):
    """A network that stays where it is: to move or to cast it is an error."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(x)

    def _apply(self, *args, **settings):
        raise AssertionError("The network was moved.")


class Flagging(nn.Module):
    """A network that flags what is brighter than ``level`` on average."""

    rejects = True

    def __init__(self, network, level, slope=10):
        super().__init__()
        self.network, self.level, self.slope = network, level, slope

    def forward(self, x):
        logits = self.network(x)
        flag = logits.amax(1) + self.slope * (x.flatten(1).mean(1) - self.level)
        return torch.cat([logits, flag[:, None]], 1)


class Constant(nn.Module):
    """The same logits for every input, without a gradient."""

    def __init__(self, logits):
        super().__init__()
        self.register_buffer("logits", torch.tensor(logits))

    def forward(self, x):
        return self.logits.expand(len(x), -1).to(x)


class FailingAt(nn.Module):
    """A network that raises on its k-th call, and on the ones after it."""

    def __init__(self, network, call):
        super().__init__()
        self.network, self.calls = network, call

    def forward(self, x):
        self.calls -= 1
        if self.calls <= 0:
            raise FloatingPointError("the network failed")
        return self.network(x)
