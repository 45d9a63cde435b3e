"""What every image transformation promises."""

from abc import ABC, abstractmethod
from math import inf
from typing import ClassVar

import torch
from torch import Tensor

from robust_train.randomness import Streams


class Transform(ABC):
    r"""A family of maps of images, one for each parameter: :math:`T_\theta`, with :math:`T_{id} = id`.

    Subclasses are frozen dataclasses: fields are what all images share, such as how pixels are
    interpolated; what differs from image to image is the parameter.

    Example:
        >>> class Shift(Transform):
        ...     names, identity = ("shift in pixel units",), (0.0,)
        ...     def __call__(self, inputs, parameters, rng=None):
        ...         return inputs + parameters.to(inputs)[:, :, None, None]
        >>> Shift()(torch.zeros(1, 1, 1, 2), torch.tensor([[0.25]]))
        tensor([[[[0.2500, 0.2500]]]])
    """

    names: ClassVar[tuple[str, ...]]
    """Of the P parameters, with their units, such as ``("angle in degrees",)``."""

    identity: ClassVar[tuple[float, ...]]
    """The parameter that changes nothing."""

    random: ClassVar[bool] = False
    """Whether the image depends on random draws too, so that the parameter alone does not repeat it."""

    @property
    def interval(self) -> tuple[float, float]:
        """Least and greatest value of the one parameter that is told from what is beyond."""
        return -inf, inf

    @abstractmethod
    def __call__(self, inputs: Tensor, parameters: Tensor, rng: Streams | None = None) -> Tensor:
        """Transform each image by its own parameter.

        Args:
            inputs: ``(N, C, H, W)``.
            parameters: ``(N, P)`` float64.
            rng: A stream of random numbers for each image, where ``random``.

        Returns:
            ``(N, C, H, W)``, differentiable with respect to both, where the map is.

        Raises:
            ValueError: These are no images, where the map needs rows and columns.
        """

    def neutral(self, inputs: Tensor) -> Tensor:
        """``(N, P)`` the identity of each image."""
        return torch.tensor(self.identity, dtype=torch.float64, device=inputs.device).repeat(len(inputs), 1)

    def drawn(self, inputs: Tensor, limits: tuple[float, ...], rng: Streams, draws: int = 1) -> Tensor:
        """``(N, draws, P)`` uniform within the limits around the identity of each image."""
        identity = self.neutral(inputs)[:, None]
        share = 2 * rng.uniform((draws, identity.shape[2]), identity) - 1
        return identity + share * identity.new_tensor(limits)
