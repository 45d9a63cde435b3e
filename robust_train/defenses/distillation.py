"""Defensive distillation: a network that learns another one's probabilities at a high temperature."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, softmax

from robust_train.attacking.modes import evaluating
from robust_train.defenses.base import Defense, Step
from robust_train.defenses.precision import widened
from robust_train.types import Network


@dataclass(frozen=True)
class Distillation(Defense):
    r"""Train a teacher at temperature T, then a student on what it says; the student is deployed at T = 1.

    .. math:: q_i = \mathrm{softmax}(z(x_i) / T), \qquad p_i = \mathrm{softmax}(z^t(x_i) / T), \qquad
        J_i = -\sum_k p_{ik} \log q_{ik}, \qquad \frac{\partial J_i}{\partial z(x_i)} = \frac{q_i - p_i}{T}

    Both take their turns in one training: the teacher, a copy of the network as it was made, learns the
    targets of the step; then the network itself learns the teacher, which stands still. Give the optimizer
    a schedule that starts again with the student, such as ``CosineAnnealingWarmRestarts``. What is saved
    holds the teacher as well, in ``teacher``, which no forward pass touches. A training without an end, of
    which no share is ever done, is refused.

    What stands beside it acts on the student, also while the teacher learns: neither an inner maximisation
    nor a penalty reaches the teacher.

    It was broken: at T = 1 the logits are about T times those of any other network, so that the softmax is
    exactly 0 or 1 in single precision and its gradient exactly 0. What takes the gradient of the logits,
    such as ``APGD`` on ``Margin``, ``DeepFool`` or ``CarliniWagner``, succeeds as ever (Carlini and Wagner,
    2017), and so does ``Stabilised``.

    Args:
        temperature: Temperature T of the softmax, at least 1.
        teaching: Share of the training that the teacher takes.

    Raises:
        ValueError: A number has no meaning.

    References:
        Distillation as a defense to adversarial perturbations against deep neural networks (Papernot et
        al., 2016)
        Towards evaluating the robustness of neural networks (Carlini and Wagner, 2017), which breaks it

    Example:
        >>> student = Distillation(temperature=100.0).wrap(nn.Linear(4, 3))
        >>> student(torch.zeros(2, 4)).shape
        torch.Size([2, 3])
    """

    temperature: float = 20.0
    teaching: float = 0.5

    replaces_loss = True
    needs_end = True

    def __post_init__(self) -> None:
        if not self.temperature >= 1:
            raise ValueError(f"Distillation: temperature must be at least 1, not {self.temperature}.")
        if not 0 < self.teaching < 1:
            raise ValueError(
                f"Distillation: teaching must lie between 0 and 1, not {self.teaching}: the student takes "
                "the rest of the training."
            )

    def wrap(self, network: nn.Module) -> nn.Module:
        return _Distilled(network)

    def loss(self, network: Network, step: Step, loss: Tensor) -> Tensor:
        pair = _pair(network)
        if self._teaches(step):
            z = widened(pair.teacher(step.inputs))
            return _cross_entropy(z / self.temperature, step.targets) + _absent(pair.network)
        with evaluating(pair.teacher.held[0]), torch.no_grad():
            p = softmax(widened(pair.teacher(step.inputs)) / self.temperature, 1)
        return _cross_entropy(step.logits / self.temperature, p) + _absent(pair.teacher)

    def after_backward(self, network: nn.Module, step: Step) -> None:
        pair = _pair(network)
        # Without a gradient, optimizers leave them alone: neither momentum nor decay moves them.
        for weight in (pair.network if self._teaches(step) else pair.teacher).parameters():
            weight.grad = None

    def _teaches(self, step: Step) -> bool:
        return step.progress < self.teaching


class _Distilled(nn.Module):
    """A student, which is what is deployed, and its teacher."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.teacher = network, _Aside(deepcopy(network))

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.network(x)
        return logits


class _Aside(nn.Module):
    """A network that is trained and saved, but whose layers nobody takes for those that are deployed."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.held = [network]  # in a list: it is no part
        self._show()

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.held[0](x)
        return logits

    def train(self, mode: bool = True) -> Self:
        self.held[0].train(mode)
        return super().train(mode)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        self.held[0]._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self._show()
        return self

    def _show(self) -> None:
        for name, weight in self.held[0].named_parameters():
            self._parameters[name.replace(".", "/")] = weight
        for name, buffer in self.held[0].named_buffers():
            self._buffers[name.replace(".", "/")] = buffer


def _pair(network: Network) -> _Distilled:
    """The student and its teacher, inside of what later defenses put around them."""
    assert isinstance(network, nn.Module)
    return next(module for module in network.modules() if isinstance(module, _Distilled))


def _cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    return cross_entropy(logits, targets, reduction="none")


def _absent(network: nn.Module) -> Tensor | float:
    """Zero, by way of all weights: distributed training waits for each of them in every step."""
    return sum(0 * weight.sum() for weight in network.parameters())
