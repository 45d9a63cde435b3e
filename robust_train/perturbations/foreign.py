"""Attacks of other libraries, scored by our evaluator."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from robust_train.norms import norm
from robust_train.perturbations.base import Perturbation
from robust_train.randomness import Streams
from robust_train.types import Goal, Network, Norm, Perturbed


@dataclass(frozen=True, kw_only=True)
class Foreign(Perturbation):
    """Any callable ``(network, inputs, labels) -> inputs``, measured but not believed.

    What it returns is neither projected nor clipped: a sample that leaves ball or box keeps its
    measured size, or inf outside of the box, and does not count as broken.

    Args:
        attack: The callable; its randomness is its own.
        norm: Norm in which its changes are measured.
        eps: The budget that it claims to keep.

    Raises:
        ValueError: It returns something else than a tensor of the shape of the inputs.

    Example:
        >>> import torch
        >>> darker = Foreign(attack=lambda network, x, y: 0.5 * x)
        >>> found = darker(torch.nn.Linear(4, 3), torch.full((1, 4), 0.5), torch.tensor([0]))
        >>> found.size
        tensor([0.5000], dtype=torch.float64)
    """

    attack: Callable[[Network, Tensor, Tensor], Tensor]
    norm: Norm = "l2"
    eps: float | None = None

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        perturbed = self.attack(network, inputs.clone(), goal.labels.clone())
        _check_images(perturbed, inputs)
        perturbed = perturbed.detach()
        return Perturbed(perturbed, self.measure(inputs, perturbed))

    def certify(self, network: Network, inputs: Tensor, goal: Goal, found: Perturbed) -> Perturbed:
        return replace(found, size=self.measure(inputs, found.inputs))

    def measure(self, inputs: Tensor, perturbed: Tensor, parameters: Tensor | None = None) -> Tensor:
        size = norm(perturbed.double() - inputs.double(), self.norm)
        low, high = self.bounds or (-float("inf"), float("inf"))
        # Written so that NaN is outside of every box.
        inside = ((perturbed >= low) & (perturbed <= high)).flatten(1).all(1)
        return size.masked_fill(~inside, float("inf"))


def _check_images(perturbed: Any, inputs: Tensor) -> None:
    kind, images = type(perturbed).__name__, isinstance(perturbed, Tensor)
    if not images or perturbed.shape != inputs.shape:
        found = f"shape {tuple(perturbed.shape)}" if images else kind
        raise ValueError(
            f"Foreign: the attack returned {found} for inputs of shape {tuple(inputs.shape)}: let it return "
            "the perturbed inputs alone, a tensor of the same shape."
        )
