"""A network that first puts its images straight."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import affine_grid, grid_sample

from robust_train.defenses.base import Defense
from robust_train.defenses.detecting import check_undetected
from robust_train.defenses.precision import widened


@dataclass(frozen=True)
class SpatialTransformer(Defense):
    r"""Let a small network choose an affine map of each image, before the network sees it.

    .. math:: f(x') , \qquad x'(u) = x(A u + b), \qquad (A \mid b) = (I \mid 0) + \alpha\, g(x)

    g, the localiser, ends in a layer that starts at zero, so that training starts from the bare network.
    Places u run from -1 to 1 between the outer edges of the outer pixels (``align_corners=False``); in
    between pixels are interpolated bilinearly, and beyond the image it is black.

    The original slows the localiser by a learning rate of its own. Adam's steps do not shrink with the
    gradient, and so the factor :math:`\alpha` stands in front of g: a smaller learning rate of the map
    by :math:`\alpha` under Adam, and by its square under plain gradient descent.

    It learns to undo the poses that it sees in training, and adds parts that can be attacked too: put a
    ``Jitter`` before it, and do not expect more against perturbations of the pixels.

    Args:
        channels: Number of channels of the images.
        width: Channels of the localiser's two convolutions; its dense layer has twice as many.
        rate: Factor of what the localiser says, alpha.

    Raises:
        ValueError: A number is not positive, images have other channels, or the network holds a detector,
            which is calibrated on images that nobody put straight.

    References:
        Spatial transformer networks (Jaderberg et al., 2015)

    Example:
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> straight, x = SpatialTransformer().wrap(network), torch.rand(2, 1, 8, 8)
        >>> torch.allclose(straight(x), network(x), atol=1e-5)
        True
    """

    channels: int = 1
    width: int = 16
    rate: float = 0.1

    def __post_init__(self) -> None:
        if not (self.channels > 0 and self.width > 0 and self.rate > 0):
            raise ValueError("SpatialTransformer: channels, width and rate must be positive.")

    def wrap(self, network: nn.Module) -> nn.Module:
        check_undetected("SpatialTransformer", network)
        return _Straightened(network, _localiser(self.channels, self.width), self.channels, self.rate)


class _Straightened(nn.Module):
    def __init__(self, network: nn.Module, localiser: nn.Module, channels: int, rate: float) -> None:
        super().__init__()
        # In the order in which they run: the last dense layer is still the one that gives the logits.
        self.localiser, self.network = localiser, network
        self.channels, self.rate = channels, rate

    def maps(self, x: Tensor) -> Tensor:
        """``(N, 2, 3)`` where each image is read, in the precision of the image."""
        if x.shape[1] != self.channels:
            raise ValueError(
                f"SpatialTransformer: it was built for {self.channels} channels, and the images have "
                f"{x.shape[1]}: give it channels={x.shape[1]}."
            )
        change = widened(self.localiser(x - 0.5)).to(x.dtype).view(-1, 2, 3)
        return torch.eye(2, 3).to(x) + self.rate * change

    def forward(self, x: Tensor) -> Tensor:
        theta = self.maps(x)
        with torch.autocast(x.device.type, enabled=False):  # places need more than 8 bits
            grid = affine_grid(theta, list(x.shape), align_corners=False)
            straight = grid_sample(x, grid, align_corners=False)
        logits: Tensor = self.network(straight)
        return logits


def _localiser(channels: int, width: int) -> nn.Module:
    """Two convolutions and two dense layers, for images of any size; it says nothing yet."""
    with torch.random.fork_rng(devices=[]):  # what else is drawn does not depend on it
        last = nn.Linear(2 * width, 6)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        return nn.Sequential(
            *(nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten()),
            *(nn.Linear(16 * width, 2 * width), nn.ReLU()),
            last,
        )
