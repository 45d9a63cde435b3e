"""Penalty on the Jacobian of every layer in its own input."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from robust_train.defenses.base import Defense, Step
from robust_train.defenses.recording import Activation
from robust_train.defenses.saturation_penalty import slope
from robust_train.randomness import Streams
from robust_train.types import Network

_AFFINE = (nn.Linear, nn.Conv2d)


@dataclass(frozen=True)
class ContractivePenalty(Defense):
    r"""Keep each layer flat in what comes into it: a deep contractive network.

    .. math:: J_i + \lambda \sum_l \Big\| \frac{\partial h_l}{\partial h_{l-1}}(x_i) \Big\|_F^2

    A layer is a dense or convolutional module with the unit behind it, and what is between both. Of a
    dense layer :math:`h = \sigma(W x + b)` the norm is
    :math:`\sum_u \sigma'(a_u)^2 \|W_u\|_2^2`. Of any other it is the mean of :math:`\|v^\top J\|_2^2` over
    standard normal v, of which each sample draws one, so that the penalty is right on average.

    Args:
        weight: Of the penalty, lambda, the same for all layers.

    Raises:
        ValueError: The weight is negative, or the network has no such layer as a module.

    References:
        Towards deep neural network architectures robust to adversarial examples (Gu and Rigazio, 2015)

    Example:
        >>> defense = ContractivePenalty(weight=0.01)
    """

    weight: float = 1e-3

    watch = (*_AFFINE, nn.ReLU, nn.Sigmoid, nn.Tanh)

    def __post_init__(self) -> None:
        if not self.weight >= 0:
            raise ValueError(f"ContractivePenalty: weight must be at least 0, not {self.weight}.")

    def loss(self, network: Network, step: Step, loss: Tensor) -> Tensor:
        rng = step.rng.fold(0xC07)
        squares = (_square(*pair, rng.fold(layer)) for layer, pair in enumerate(_layers(step.activations)))
        return loss + self.weight * sum(squares)


def _layers(activations: list[Activation]) -> Iterator[tuple[Activation, Activation]]:
    """The affine part of each layer and the unit behind it, or itself where there is none."""
    for affine, unit in zip(activations, [*activations[1:], None], strict=True):
        if isinstance(affine.module, _AFFINE):
            alone = unit is None or isinstance(unit.module, _AFFINE)
            yield affine, affine if alone or unit is None else unit


def _square(affine: Activation, unit: Activation, rng: Streams) -> Tensor:
    """``(N,)`` squared Frobenius norms of the Jacobian of one layer."""
    dense = isinstance(affine.module, nn.Linear) and (unit is affine or unit.inputs is affine.outputs)
    if dense:
        sigma = torch.ones_like(unit.outputs) if unit is affine else slope(unit)
        rows: Tensor = affine.module.weight.square().sum(1)  # type: ignore[operator]
        return (sigma.square() * rows).flatten(1).sum(1)
    v = rng.normal(tuple(unit.outputs.shape[1:]), unit.outputs)
    (g,) = torch.autograd.grad((v * unit.outputs).sum(), affine.inputs, create_graph=True)
    return g.flatten(1).square().sum(1)
