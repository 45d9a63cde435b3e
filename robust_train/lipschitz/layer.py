"""Spectral norm of one layer, exact or from above."""

import torch
from torch import Tensor, nn

from robust_train.lipschitz.convolution import convolution_bound


def layer_bound(layer: nn.Linear | nn.Conv2d, grid: int = 16) -> Tensor:
    """Norm of a dense layer, or a bound of that of a convolution on images of any size, in float64.

    Args:
        layer: The layer; its bias plays no part.
        grid: The argument of ``convolution_bound`` that says how near the bound comes.

    Raises:
        ValueError: A convolution pads by other pixels of the image, which has no such bound.

    Example:
        >>> layer = nn.Linear(2, 2)
        >>> layer.weight.data = torch.tensor([[3.0, 0.0], [0.0, 4.0]])
        >>> layer_bound(layer).item()
        4.0
    """
    if isinstance(layer, nn.Linear):
        norm: Tensor = torch.linalg.matrix_norm(layer.weight.double(), 2)
        return norm
    if not pads_well(layer):
        raise ValueError(
            f"No Lipschitz bound is known of a convolution padded by {layer.padding_mode} with "
            f"{layer.padding}: pad it with zeros."
        )
    return convolution_bound(layer.weight, _stride(layer), layer.groups, grid)


def pads_well(layer: nn.Conv2d) -> bool:
    """Whether no pixel is seen twice: zeros are none, and circles may close once.

    Example:
        >>> pads_well(nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect"))
        False
    """
    if layer.padding == "valid" or not any(layer.padding):
        return True
    if layer.padding_mode != "circular" or isinstance(layer.padding, str):
        return layer.padding_mode in ("zeros", "circular")
    reaches = zip(layer.padding, layer.dilation, layer.kernel_size, strict=True)
    return all(2 * p <= d * (k - 1) for p, d, k in reaches)


def _stride(layer: nn.Conv2d) -> int:
    """That makes the bound smaller: without it there are more outputs, so that the bound holds as well."""
    square = len({*layer.stride}) == 1 and {*layer.dilation} == {1}
    # On a circle that the stride does not divide, windows of different phases meet.
    return layer.stride[0] if square and layer.padding_mode == "zeros" else 1
