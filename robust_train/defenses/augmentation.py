"""Random shifts and mirror images."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import pad

from robust_train.checks import check_positive
from robust_train.defenses.base import Defense, Step
from robust_train.randomness import Streams
from robust_train.types import Network


@dataclass(frozen=True)
class Augmentation(Defense):
    """Shift each image by whole pixels and mirror half of them, a draw a sample, on the device.

    Args:
        padding: Largest shift in pixels, along both axes; what comes in is black.
        flip: Mirror every other image, on average, from left to right.

    Raises:
        ValueError: The padding is negative.

    Example:
        >>> defense = Augmentation(padding=1, flip=False)
    """

    padding: int = 4
    flip: bool = True

    augments = True

    def __post_init__(self) -> None:
        check_positive(self, "padding", zero=True)

    def batch(self, network: Network, step: Step) -> Step:
        inputs = self._moved(step.inputs, step.rng.fold(0xA06))
        perturbed = step.clean is not step.inputs
        clean = self._moved(step.clean, step.rng.fold(0xA06)) if perturbed else inputs
        return replace(step, inputs=inputs, clean=clean)

    def _moved(self, x: Tensor, rng: Streams) -> Tensor:
        if self.padding:
            span = 2 * self.padding + 1
            x = _shift(x, (rng.uniform((2,)) * span).long().to(x.device), self.padding)
        if self.flip:
            mirrored = rng.fold(1).uniform(()).to(x.device) < 0.5
            x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
        return x


def _shift(x: Tensor, corner: Tensor, padding: int) -> Tensor:
    """The window of the padded images that starts at ``(N, 2)`` row and column ``corner``."""
    height, width = x.shape[2:]
    rows = corner[:, 0, None] + torch.arange(height, device=x.device)
    columns = corner[:, 1, None] + torch.arange(width, device=x.device)
    sample = torch.arange(len(x), device=x.device)[:, None, None]
    padded = pad(x, [padding] * 4).permute(0, 2, 3, 1)
    return padded[sample, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
