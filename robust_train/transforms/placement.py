"""Images placed on an empty canvas."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from robust_train.randomness import Streams
from robust_train.transforms.base import Transform
from robust_train.transforms.checking import check_images
from robust_train.transforms.warp import centered, sample

_POINT = 1e-6  # the smallest scale: what has none, or less, would be read from nowhere


@dataclass(frozen=True, kw_only=True)
class Placement(Transform):
    r"""Scales the image and lays it somewhere on an empty canvas of the same size.

    .. math:: T_{s, t}(x)(u) = x\Big(\frac{u - t \odot m}{s}\Big), \qquad m = \frac{1 - s}{2} (W, H)

    The place t is in shares of the free room: at -1 and 1 the edges of the image and of the canvas
    meet, so that all of it is seen at every place up to there; an image as large as the canvas has
    one place only. Between pixels the image is interpolated bilinearly, which at half of the size
    averages blocks of four, and leaves pixels out below it.

    Args:
        background: Value of the canvas, in pixel units.

    Example:
        >>> import torch
        >>> pose = torch.tensor([[0.5, 1.0, -1.0]])  # to the right and up
        >>> Placement()(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), pose).tolist()
        [[[[0.0, 2.5], [0.0, 0.0]]]]
    """

    background: float = 0.0

    names: ClassVar[tuple[str, ...]] = (
        "scale",
        "right in shares of the free room",
        "down in shares of the free room",
    )
    identity: ClassVar[tuple[float, ...]] = (1.0, 0.0, 0.0)

    def __call__(self, inputs: Tensor, parameters: Tensor, rng: Streams | None = None) -> Tensor:
        check_images(self, inputs)
        height, width = inputs.shape[2:]
        scale, place = parameters[:, :1].double(), parameters[:, 1:].double()
        move = place * (1 - scale) / 2 * place.new_tensor([width, height])
        places = centered(height, width, inputs.device) - move[:, None]  # (N, H * W, 2)
        places = (places / scale.clamp_min(_POINT)[:, None]).view(-1, height, width, 2)
        return self.background + sample(inputs - self.background, places, "zeros")
