"""The residual network of adversarial training on CIFAR-10."""

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn

from robust_train.networks.normalize import Normalize


class PreActResNet18(nn.Sequential):
    """Four stages of two pre-activation blocks, for images of about 32x32 pixels.

    The stem is one 3x3 convolution without pooling; the stages have 64, 128, 256 and 512 channels,
    and all but the first halve the image. 11.17 million parameters.

    Args:
        channels: Number of channels of the images.
        classes: Number of logits.
        mean: Mean of the pixels, one value for each channel or a single one for all; by default
            CIFAR-10's.
        std: Standard deviation of the pixels, in the same form.

    References:
        Identity mappings in deep residual networks (He et al., 2016)

    Example:
        >>> import torch
        >>> PreActResNet18()(torch.rand(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """

    def __init__(
        self,
        channels: int = 3,
        classes: int = 10,
        mean: Sequence[float] = (0.4914, 0.4822, 0.4465),
        std: Sequence[float] = (0.2470, 0.2435, 0.2616),
    ) -> None:
        layers = OrderedDict[str, nn.Module](
            normalize=Normalize(mean, std, (channels,)),
            stem=_convolution(channels, 64, 3),
            stage1=nn.Sequential(_Block(64, 64), _Block(64, 64)),
            stage2=nn.Sequential(_Block(64, 128, stride=2), _Block(128, 128)),
            stage3=nn.Sequential(_Block(128, 256, stride=2), _Block(256, 256)),
            stage4=nn.Sequential(_Block(256, 512, stride=2), _Block(512, 512)),
            pool=nn.Sequential(nn.BatchNorm2d(512), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
            head=nn.Linear(512, classes),
        )
        super().__init__(layers)


class _Block(nn.Module):
    r"""Two convolutions, each of normalised and rectified inputs, beside a shortcut.

    .. math:: x \mapsto S x + W_2\, \sigma(W_1\, \sigma(x)), \qquad \sigma = \mathrm{ReLU} \circ \mathrm{BN}

    The shortcut S is the identity, so that signals pass unchanged from block to block. Where the
    shape changes it is a 1x1 convolution of the activated input :math:`\sigma(x)` instead.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        stride: Stride of the first convolution: 2 halves the image.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.activate1 = nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU())
        self.convolve1 = _convolution(inputs, outputs, 3, stride)
        self.activate2 = nn.Sequential(nn.BatchNorm2d(outputs), nn.ReLU())
        self.convolve2 = _convolution(outputs, outputs, 3)
        reshapes = stride != 1 or inputs != outputs
        self.shortcut = _convolution(inputs, outputs, 1, stride) if reshapes else None

    def forward(self, x: Tensor) -> Tensor:
        activated = self.activate1(x)
        shortcut = x if self.shortcut is None else self.shortcut(activated)
        residual: Tensor = self.convolve2(self.activate2(self.convolve1(activated)))
        return shortcut + residual


def _convolution(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Conv2d:
    """A padded convolution without bias, which the normalisation that follows would undo."""
    return nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)
