"""A small convolutional network."""

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from robust_train.networks.normalize import Normalize


class SmallCNN(nn.Sequential):
    """Two pairs of 3x3 convolutions, each followed by max pooling, and one hidden dense layer.

    For images of about 8x8 to 32x32 pixels. With the default width it has 0.67 million parameters
    on 28x28 pixels; width 16 learns 8x8 digits within seconds.

    Args:
        in_shape: ``(C, H, W)`` of the images; H and W are at least 4.
        classes: Number of logits.
        width: Channels of the first pair; the second has twice and the dense layer six times as many.
        batch_norm: Batch normalisation after each convolution.
        mean: Mean of the pixels, one value for each channel or a single one for all.
        std: Standard deviation of the pixels, in the same form.

    Raises:
        ValueError: The images are too small to be pooled twice.

    Example:
        >>> import torch
        >>> SmallCNN(in_shape=(1, 8, 8), width=16)(torch.rand(5, 1, 8, 8)).shape
        torch.Size([5, 10])
    """

    def __init__(
        self,
        in_shape: tuple[int, int, int] = (1, 28, 28),
        classes: int = 10,
        width: int = 32,
        batch_norm: bool = False,
        mean: Sequence[float] = (0.5,),
        std: Sequence[float] = (0.5,),
    ) -> None:
        channels, height, breadth = in_shape
        if min(height, breadth) < 4:
            raise ValueError(f"SmallCNN pools twice: {height}x{breadth} pixels are less than 4x4.")
        pixels = (height // 4) * (breadth // 4)
        layers = OrderedDict[str, nn.Module](
            normalize=Normalize(mean, std, in_shape),
            features=nn.Sequential(
                *_convolution(channels, width, batch_norm),
                *_convolution(width, width, batch_norm),
                nn.MaxPool2d(2),
                *_convolution(width, 2 * width, batch_norm),
                *_convolution(2 * width, 2 * width, batch_norm),
                nn.MaxPool2d(2),
                nn.Flatten(),
                *(nn.Linear(2 * width * pixels, 6 * width), nn.ReLU()),
            ),
            head=nn.Linear(6 * width, classes),
        )
        super().__init__(layers)


def _convolution(inputs: int, outputs: int, batch_norm: bool) -> list[nn.Module]:
    """A 3x3 convolution that keeps the size, and its ReLU."""
    normalised = [nn.BatchNorm2d(outputs)] if batch_norm else []
    # The shift of batch normalisation makes a bias of the convolution idle.
    return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=not batch_norm), *normalised, nn.ReLU()]
