"""Normalisation, the first layer of every network."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Normalize(nn.Module):
    r"""Standardise each channel, and refuse images that the network was not built for.

    .. math:: x \mapsto (x - \mu) / \sigma

    Args:
        mean: Mean, one value for each channel or a single one for all.
        std: Standard deviation, positive, in the same form.
        shape: ``(C,)`` or ``(C, H, W)`` that images must have; by default any size, and a channel
            for each value.

    Raises:
        ValueError: The values do not fit the channels, or an image does not fit the shape.

    Example:
        >>> Normalize(mean=[0.5], std=[0.25])(torch.ones(1, 1, 1, 2))
        tensor([[[[2., 2.]]]])
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float], shape: Sequence[int] = ()) -> None:
        super().__init__()
        self.shape = tuple(shape) or (max(len(mean), len(std)),)
        for name, values in (("mean", mean), ("std", std)):
            if len(values) not in (1, self.shape[0]):
                raise ValueError(
                    f"{name} has {len(values)} values for {self.shape[0]} channels: give one for each "
                    "channel, or a single one for all."
                )
            self.register_buffer(
                name, torch.tensor(values, dtype=torch.float32).expand(self.shape[0]).clone()
            )
        if not all(value > 0 for value in std):
            raise ValueError(f"std must be positive, not {list(std)}.")

    def forward(self, images: Tensor) -> Tensor:
        if images.ndim != 4 or images.shape[1 : 1 + len(self.shape)] != self.shape:
            expected = ", ".join(map(str, ("N", *self.shape, "H", "W")[:4]))
            raise ValueError(
                f"The network expected images ({expected}), got {tuple(images.shape)}: build it with the "
                "shape of these data, and mean and std of one value for each of their channels, or give it "
                "other data."
            )
        return (images - self.mean[:, None, None]) / self.std[:, None, None]

    def extra_repr(self) -> str:
        return f"mean={self.mean.tolist()}, std={self.std.tolist()}"
