"""The first convolutional network of handwritten digits."""

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from robust_train.networks.normalize import Normalize


class LeNet(nn.Sequential):
    """LeNet-5 with ReLU and max pooling, for images of 28x28 or 32x32 pixels.

    The published network sees 32x32 pixels; images of 28x28 are padded to that in the first layer.

    Args:
        in_shape: ``(C, H, W)`` of the images.
        classes: Number of logits.
        mean: Mean of the pixels, one value for each channel or a single one for all.
        std: Standard deviation of the pixels, in the same form.

    Raises:
        ValueError: The images are of another size.

    References:
        Gradient-based learning applied to document recognition (LeCun et al., 1998)

    Example:
        >>> import torch
        >>> LeNet()(torch.rand(5, 1, 28, 28)).shape
        torch.Size([5, 10])
    """

    def __init__(
        self,
        in_shape: tuple[int, int, int] = (1, 28, 28),
        classes: int = 10,
        mean: Sequence[float] = (0.5,),
        std: Sequence[float] = (0.5,),
    ) -> None:
        channels, height, width = in_shape
        if (height, width) not in ((28, 28), (32, 32)):
            raise ValueError(
                f"LeNet sees images of 28x28 or 32x32 pixels, not {height}x{width}: "
                "SmallCNN takes other sizes."
            )
        layers = OrderedDict[str, nn.Module](
            normalize=Normalize(mean, std, in_shape),
            features=nn.Sequential(
                *(nn.Conv2d(channels, 6, 5, padding=(32 - height) // 2), nn.ReLU(), nn.MaxPool2d(2)),
                *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)),
                nn.Flatten(),
                *(nn.Linear(16 * 5 * 5, 120), nn.ReLU()),
                *(nn.Linear(120, 84), nn.ReLU()),
            ),
            head=nn.Linear(84, classes),
        )
        super().__init__(layers)
