"""Channels of an image."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robust_train.transforms.mask import Mask


@dataclass(frozen=True, kw_only=True)
class Channels(Mask):
    """All pixels of some channels: colour without depth, say.

    Args:
        channels: Places of the channels that may change, from 0 on.

    Raises:
        ValueError: There are none, or an image does not have them.

    Example:
        >>> Channels(channels=[0, 1, 2])(torch.zeros(1, 4, 1, 1)).flatten()
        tensor([ True,  True,  True, False])
    """

    channels: list[int]

    def __post_init__(self) -> None:
        if not self.channels or min(self.channels) < 0:
            raise ValueError(f"Channels: give the places of some channels, from 0 on, not {self.channels}.")

    def __call__(self, images: Tensor) -> Tensor:
        if images.ndim != 4 or max(self.channels) >= images.shape[1]:
            raise ValueError(
                f"Channels: inputs have shape {tuple(images.shape)}, without a channel {max(self.channels)}."
            )
        mask = torch.zeros_like(images[:1], dtype=torch.bool)
        mask[:, self.channels] = True
        return mask
