"""Where the frame of a pair of glasses covers an image."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robust_train.transforms.checking import check_images
from robust_train.transforms.mask import Mask


@dataclass(frozen=True, kw_only=True)
class EyeglassFrame(Mask):
    """The pixels under two rectangular rims, a bridge and two temples, drawn to the size of the image.

    Args:
        height: Height of the rims, as a share of the image's height.
        width: Width of each rim, as a share of the image's width.
        thickness: Thickness of the frame, as a share of the image's width; a pixel at the least.
        center: Height of the middle of the rims, as a share, from above.

    Example:
        >>> EyeglassFrame()(torch.zeros(1, 1, 9, 18)).shape
        torch.Size([1, 1, 9, 18])
    """

    height: float = 0.3
    width: float = 0.36
    thickness: float = 0.06
    center: float = 0.4

    def __post_init__(self) -> None:
        for name in ("height", "width", "thickness", "center"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(
                    f"EyeglassFrame: {name} must be a share between 0 and 1, not {getattr(self, name)}."
                )

    def __call__(self, images: Tensor) -> Tensor:
        """``(1, 1, H, W)`` true under the frame.

        Raises:
            ValueError: These are no images.
        """
        check_images(self, images)
        rows, columns = images.shape[-2:]
        # Middles of the pixels in units of the image, from the middle of the bridge.
        y = (torch.arange(rows, device=images.device) + 0.5)[:, None] / rows - self.center
        x = ((torch.arange(columns, device=images.device) + 0.5)[None] / columns - 0.5).abs()
        across, up = max(self.thickness, 1 / columns), max(self.thickness * columns / rows, 1 / rows)
        bridge = 0.06  # half of its width
        outer = (x >= bridge) & (x <= bridge + self.width) & (y.abs() <= self.height / 2)
        glass = (x >= bridge + across) & (x <= bridge + self.width - across)
        glass = glass & (y.abs() <= self.height / 2 - up)
        # Bridge and temples, as high as the frame is thick.
        bar = (y + self.height / 4).abs() <= up / 2
        frame = (outer & ~glass) | (bar & ((x < bridge) | (x > bridge + self.width)))
        return frame[None, None]
