"""A small residual network whose blocks are weighted sums."""

from collections import OrderedDict
from collections.abc import Callable, Sequence

from torch import Tensor, nn

from robust_train.networks.convex_sum import ConvexSum
from robust_train.networks.normalize import Normalize


class ConvexResNet(nn.Sequential):
    """Residual blocks at full and at half resolution, for images of about 8x8 to 32x32 pixels.

    It has no batch normalisation, which would undo what is known of its weights; each block adds the
    shortcut and two 3x3 convolutions with learnt weights, which ``ParsevalRetraction`` keeps convex.

    Args:
        in_shape: ``(C, H, W)`` of the images; H and W are at least 4.
        classes: Number of logits.
        width: Channels of all blocks.
        blocks: Number of blocks at each of the two resolutions.
        mean: Mean of the pixels, one value for each channel or a single one for all.
        std: Standard deviation of the pixels, in the same form.

    Raises:
        ValueError: The images are too small to be pooled twice.

    References:
        Parseval networks: improving robustness to adversarial examples (Cisse et al., 2017)

    Example:
        >>> import torch
        >>> ConvexResNet(in_shape=(1, 8, 8), width=4)(torch.rand(5, 1, 8, 8)).shape
        torch.Size([5, 10])
    """

    def __init__(
        self,
        in_shape: tuple[int, int, int] = (1, 28, 28),
        classes: int = 10,
        width: int = 16,
        blocks: int = 1,
        mean: Sequence[float] = (0.5,),
        std: Sequence[float] = (0.5,),
    ) -> None:
        channels, height, breadth = in_shape
        if min(height, breadth) < 4:
            raise ValueError(f"ConvexResNet pools twice: {height}x{breadth} pixels are less than 4x4.")
        pixels = (height // 4) * (breadth // 4)
        layers = OrderedDict[str, nn.Module](
            normalize=Normalize(mean, std, in_shape),
            features=nn.Sequential(
                nn.Conv2d(channels, width, 3, padding=1),
                *(_Block(width) for _ in range(blocks)),
                nn.MaxPool2d(2),
                *(_Block(width) for _ in range(blocks)),
                *(nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
            ),
            head=nn.Linear(width * pixels, classes),
        )
        super().__init__(layers)


class _Block(nn.Module):
    r"""Two convolutions of rectified inputs beside the identity.

    .. math:: x \mapsto \alpha_1 x + \alpha_2 W_2\, \sigma(W_1\, \sigma(x))

    Args:
        width: Channels.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        layers = [layer for _ in range(2) for layer in (nn.ReLU(), nn.Conv2d(width, width, 3, padding=1))]
        self.residual = nn.Sequential(*layers)
        self.add = ConvexSum(2)

    def forward(self, x: Tensor) -> Tensor:
        total: Tensor = self.add(x, self.residual(x))
        return total

    def lipschitz(self, bound: Callable[[nn.Module], float]) -> float:
        """Of the block, from that of its parts."""
        shortcut, residual = self.add.alpha.abs().tolist()
        return float(shortcut + residual * bound(self.residual))
