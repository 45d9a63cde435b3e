"""Common corruptions of photographs."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robust_train.norms import unsqueeze_like
from robust_train.randomness import Streams
from robust_train.transforms.base import Transform
from robust_train.transforms.checking import check_images, check_pixels
from robust_train.transforms.corruptions import KINDS


@dataclass(frozen=True, kw_only=True)
class Corruption(Transform):
    r"""One of the fifteen common corruptions, at a real severity for each image.

    At 1, 2, 3, 4 and 5 its parameters are those of CIFAR-10-C for images of up to 64 pixels a side
    and those of ImageNet-C for larger ones; in between they are interpolated, and at 0 the image stays
    what it is. What is drawn for an image is the same at all severities.

    Args:
        kind: Such as ``"fog"``; the keys of ``robust_train.transforms.corruptions.KINDS``.

    Raises:
        ValueError: There is no such kind; or a call lacks the streams to draw from, or has
            no images (N, C, H, W) in [0, 1].

    References:
        Benchmarking neural network robustness to common corruptions and perturbations (Hendrycks and
        Dietterich, 2019)

    Example:
        >>> x, severity = torch.rand(2, 3, 8, 8), torch.tensor([[0.0], [3.0]])
        >>> y = Corruption(kind="gaussian_noise")(x, severity, Streams.of(0, [0, 1]))
        >>> torch.equal(y[0], x[0]), torch.equal(y[1], x[1])
        (True, False)
    """

    kind: str
    names: ClassVar[tuple[str, ...]] = ("severity",)
    identity: ClassVar[tuple[float, ...]] = (0.0,)
    random: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"Corruption: kind must be one of {', '.join(KINDS)}, not {self.kind!r}.")

    @property
    def interval(self) -> tuple[float, float]:
        return 0.0, 5.0

    def __call__(self, inputs: Tensor, parameters: Tensor, rng: Streams | None = None) -> Tensor:
        if rng is None:
            raise ValueError("Corruption: it draws random numbers, give it a stream for each image (rng).")
        check_images(self, inputs)
        check_pixels(self, inputs)
        severity = parameters[:, 0].clamp(*self.interval)
        corrupted = KINDS[self.kind](inputs, severity, rng).clamp(0, 1)
        return torch.where(unsqueeze_like(severity > 0, inputs), corrupted, inputs)
