"""Penalty on the Jacobian of every layer in its own input."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from robust_train.attacking.stabilising import derivative
from robust_train.defenses.base import Defense, Step
from robust_train.defenses.precision import widened
from robust_train.defenses.recording import Activation
from robust_train.defenses.schedule import Ramp, at, check_schedule
from robust_train.randomness import Streams
from robust_train.types import Network

_AFFINE = (nn.Linear, nn.Conv2d)
_BETWEEN = (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm, nn.Dropout, nn.Dropout2d)
_UNITS = (nn.ReLU, nn.Sigmoid, nn.Tanh)


@dataclass(frozen=True)
class ContractivePenalty(Defense):
    r"""Keep each layer flat in what comes into it: a deep contractive network.

    .. math:: J_i + \lambda \sum_l \Big\| \frac{\partial h_l}{\partial h_{l-1}}(x_i) \Big\|_F^2

    A layer is a dense or convolutional module with the unit (ReLU, sigmoid or tanh) behind it and the
    normalisation and dropout between both; where another module or an addition follows, the affine part
    alone (an addition in place cannot be told from none). Of a dense layer :math:`h = \sigma(W x + b)` the
    norm is :math:`\sum_u \sigma'(a_u)^2 \|W_u\|_2^2`. Of any other it is the mean of
    :math:`\|v^\top J\|_2^2` over standard normal v, of which each sample draws one, so that the penalty is
    right on average. Where batch normalisation takes the statistics of the batch, an input moves what the
    layer makes of the other samples too, and that is counted with it.

    Args:
        weight: Weight lambda of the penalty, the same for all layers.

    Raises:
        ValueError: The weight is negative, or the network has no such layer as a module.

    References:
        Towards deep neural network architectures robust to adversarial examples (Gu and Rigazio, 2015)

    Example:
        >>> defense = ContractivePenalty(weight=0.01)
    """

    weight: float | Ramp = 1e-3

    watch = (*_AFFINE, *_BETWEEN, *_UNITS)

    def __post_init__(self) -> None:
        check_schedule(self, "weight", zero=True)

    def loss(self, network: Network, step: Step, loss: Tensor) -> Tensor:
        rng = step.rng.fold(0xC07)
        squares = (_square(*pair, rng.fold(layer)) for layer, pair in enumerate(_layers(step.activations)))
        return loss + at(self.weight, step.progress) * sum(squares)


def _layers(activations: list[Activation]) -> Iterator[tuple[Activation, Activation]]:
    """The affine part of each layer and the unit behind it, or itself where there is none."""
    taking = {id(one.inputs): one for one in reversed(activations)}  # the first that takes a tensor
    for affine in activations:
        if isinstance(affine.module, _AFFINE):
            end, after = affine, taking.get(id(affine.outputs))
            while after is not None and after is not end and isinstance(after.module, (*_BETWEEN, *_UNITS)):
                end, after = after, taking.get(id(after.outputs))
                if isinstance(end.module, _UNITS):
                    break
            yield affine, end if isinstance(end.module, _UNITS) else affine


def _square(affine: Activation, unit: Activation, rng: Streams) -> Tensor:
    """``(N,)`` squared Frobenius norms of the Jacobian of one layer."""
    dense = isinstance(affine.module, nn.Linear) and (unit is affine or unit.inputs is affine.outputs)
    if dense:
        sigma = torch.ones_like(unit.outputs) if unit is affine else derivative(unit.module, unit.outputs)
        rows: Tensor = affine.module.weight.square().sum(1)  # type: ignore[operator]
        return widened(sigma.square() * rows).flatten(1).sum(1)
    v = rng.normal(tuple(unit.outputs.shape[1:]), unit.outputs)
    (g,) = torch.autograd.grad((v * unit.outputs).sum(), affine.inputs, create_graph=True)
    return widened(g).flatten(1).square().sum(1)
