"""What images must be before they are transformed."""

from typing import Any

from torch import Tensor

_ROUNDING = 1e-4


def check_images(owner: Any, images: Tensor) -> None:
    """Refuse what has no rows and columns.

    Example:
        >>> import torch
        >>> check_images(torch.nn.Identity(), torch.zeros(1, 3, 8, 8))
    """
    if images.ndim != 4:
        shape = ", ".join(["N", *map(str, images.shape[1:])])  # a search has its own N
        raise ValueError(f"{type(owner).__name__}: inputs have shape ({shape}): give images (N, C, H, W).")


def check_pixels(owner: Any, images: Tensor) -> None:
    """Refuse images outside of [0, 1], up to rounding, where the result is cut to it.

    Example:
        >>> import torch
        >>> check_pixels(torch.nn.Identity(), torch.tensor([0.0, 1.00001]))
    """
    if images.numel():
        low, high = (float(v) for v in images.detach().aminmax())
        if low < -_ROUNDING or high > 1 + _ROUNDING:
            raise ValueError(
                f"{type(owner).__name__}: images lie in [{low:.4g}, {high:.4g}], but are cut to "
                "[0, 1]: pass pixels in these units, and normalise inside the network."
            )
