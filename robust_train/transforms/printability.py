"""How far colours are from those that a printer can make."""

import torch
from torch import Tensor


def non_printability(images: Tensor, colors: Tensor, mask: Tensor | None = None) -> Tensor:
    r"""Sum over the pixels of the product of the distances to all printable colours.

    .. math:: \sum_p \prod_c \|x_p - c\|_2

    It vanishes where every pixel has one of the colours.

    Args:
        images: ``(N, C, H, W)``.
        colors: ``(K, C)`` in the same units.
        mask: ``(H, W)``, broadcast, true where pixels count.

    Returns:
        ``(N,)``.

    References:
        Accessorize to a crime: real and stealthy attacks on state-of-the-art face recognition
        (Sharif et al., 2016)

    Example:
        >>> greys = torch.tensor([[0.0], [0.5]])
        >>> non_printability(torch.tensor([[[[0.5, 0.25]]]]), greys)
        tensor([0.0625])
    """
    distances: Tensor = torch.linalg.vector_norm(images[:, None] - colors.to(images)[:, :, None, None], dim=2)
    scores = distances.prod(1, keepdim=True)
    return (scores if mask is None else scores * mask).flatten(1).sum(1)
