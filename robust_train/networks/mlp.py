"""A multilayer perceptron."""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import Literal

from torch import nn

from robust_train.networks.normalize import Normalize

_UNITS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


class MultilayerPerceptron(nn.Sequential):
    """Dense layers with ReLU or another unit between them; with no hidden layer, a linear classifier.

    Args:
        in_shape: ``(C, H, W)`` of the images.
        hidden: Widths of the hidden layers.
        classes: Number of logits.
        mean: Mean of the pixels, one value for each channel or a single one for all.
        std: Standard deviation of the pixels, in the same form.
        unit: Nonlinearity between the layers: ``relu``, ``sigmoid`` or ``tanh``.

    Raises:
        ValueError: There is no such unit.

    Example:
        >>> import torch
        >>> network = MultilayerPerceptron(in_shape=(1, 8, 8), hidden=[32])
        >>> network(torch.rand(5, 1, 8, 8)).shape
        torch.Size([5, 10])
    """

    def __init__(
        self,
        in_shape: tuple[int, int, int] = (1, 28, 28),
        hidden: Sequence[int] = (256, 256),
        classes: int = 10,
        mean: Sequence[float] = (0.5,),
        std: Sequence[float] = (0.5,),
        unit: Literal["relu", "sigmoid", "tanh"] = "relu",
    ) -> None:
        if unit not in _UNITS:
            raise ValueError(f"MultilayerPerceptron: unit must be one of {', '.join(_UNITS)}, not {unit}.")
        features: list[nn.Module] = [nn.Flatten()]
        for inputs, outputs in pairwise((prod(in_shape), *hidden)):
            features += [nn.Linear(inputs, outputs), _UNITS[unit]()]
        layers = OrderedDict[str, nn.Module](
            normalize=Normalize(mean, std, in_shape),
            features=nn.Sequential(*features),
            head=nn.Linear((prod(in_shape), *hidden)[-1], classes),
        )
        super().__init__(layers)
