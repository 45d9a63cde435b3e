"""How rough an image is."""

import torch
from torch import Tensor
from torch.nn.functional import pad


def total_variation(images: Tensor, mask: Tensor | None = None) -> Tensor:
    r"""Sum over the pixels of the length of the gradient.

    .. math:: \sum_{c, i, j} \sqrt{(x_{c, i+1, j} - x_{c, i, j})^2 + (x_{c, i, j+1} - x_{c, i, j})^2}

    Where it is 0 its gradient is taken to be 0.

    Args:
        images: ``(N, C, H, W)``.
        mask: ``(H, W)``, broadcast, true where pixels count; differences from within to outside do not.

    Returns:
        ``(N,)``.

    References:
        Nonlinear total variation based noise removal algorithms (Rudin, Osher and Fatemi, 1992)

    Example:
        >>> total_variation(torch.tensor([[[[0.0, 3.0], [4.0, 0.0]]]]))
        tensor([12.])
    """
    inside = torch.ones_like(images, dtype=torch.bool) if mask is None else mask.expand_as(images)
    down = (images[:, :, 1:] - images[:, :, :-1]) * (inside[:, :, 1:] & inside[:, :, :-1])
    right = (images[..., 1:] - images[..., :-1]) * (inside[..., 1:] & inside[..., :-1])
    steps = torch.stack([pad(down, (0, 0, 0, 1)), pad(right, (0, 1))])
    lengths: Tensor = torch.linalg.vector_norm(steps, dim=0)
    return lengths.flatten(1).sum(1)
