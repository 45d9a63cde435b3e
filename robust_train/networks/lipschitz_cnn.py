"""A network whose logit margin is a certificate."""

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from robust_train.networks.aol import AOLConvolution, AOLDense
from robust_train.networks.normalize import Normalize
from robust_train.networks.sll import SLLConvolution, SLLDense


class LipschitzCNN(nn.Sequential):
    r"""Layers of Lipschitz constant 1, for images of about 8x8 to 32x32 pixels.

    .. math:: \|f(x) - f(y)\|_2 \le \|x - y\|_2 / \min_c \sigma_c

    with the std of the normalisation, 1 by default. Then no perturbation shorter than the margin of the
    two largest logits over :math:`\sqrt 2` changes the label: ``CertifiedRadius`` reports it.
    ``MarginLoss`` trains it, since the cross-entropy alone is content with small margins.

    Args:
        in_shape: ``(C, H, W)`` of the images; H and W are even.
        classes: Number of logits.
        width: Channels at full resolution; half of it has four times as many.
        blocks: Number of residual layers at each resolution, and of dense ones.
        hidden: Width of the dense layers.
        mean: Mean of the pixels, one value for each channel or a single one for all.
        std: Standard deviation of the pixels, in the same form.

    Raises:
        ValueError: The size of the images is odd.

    References:
        A unified algebraic perspective on Lipschitz neural networks (Araujo et al., 2023)
        Almost-orthogonal layers for efficient general-purpose Lipschitz networks (Prach and Lampert, 2022)

    Example:
        >>> import torch
        >>> LipschitzCNN(in_shape=(1, 8, 8), width=4, hidden=16)(torch.rand(5, 1, 8, 8)).shape
        torch.Size([5, 10])
    """

    def __init__(
        self,
        in_shape: tuple[int, int, int] = (1, 28, 28),
        classes: int = 10,
        width: int = 16,
        blocks: int = 2,
        hidden: int = 128,
        mean: Sequence[float] = (0.5,),
        std: Sequence[float] = (1.0,),
    ) -> None:
        channels, height, breadth = in_shape
        if height % 2 or breadth % 2:
            raise ValueError(
                f"LipschitzCNN halves the image: {height}x{breadth} pixels are odd, pad or crop them by one."
            )
        layers = OrderedDict[str, nn.Module](
            normalize=Normalize(mean, std, in_shape),
            features=nn.Sequential(
                AOLConvolution(channels, width),
                *(SLLConvolution(width) for _ in range(blocks)),
                nn.PixelUnshuffle(2),  # which stretches nothing: a pool would shrink
                *(SLLConvolution(4 * width, 2 * width) for _ in range(blocks)),
                nn.Flatten(),
                AOLDense(width * height * breadth, hidden),
                *(SLLDense(hidden) for _ in range(blocks)),
            ),
            head=AOLDense(hidden, classes),
        )
        super().__init__(layers)
