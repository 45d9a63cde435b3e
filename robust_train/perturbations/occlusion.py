"""The worst place for a square that covers part of the image."""

from dataclasses import dataclass, field, replace
from typing import Self

import torch
from torch import Tensor

from robust_train.attacking.in_turn import first_reached
from robust_train.checks import check_positive
from robust_train.perturbations.base import unmeasured
from robust_train.perturbations.transformed import Transformed
from robust_train.randomness import Streams
from robust_train.transforms.base import Transform
from robust_train.transforms.checking import check_images
from robust_train.transforms.occluder import Occluder
from robust_train.types import Goal, Network, Perturbed


@dataclass(frozen=True, kw_only=True)
class Occlusion(Transformed):
    r"""Cover a square wherever that harms most.

    .. math:: \max_{u} \ell(f(T_{u, s}(x)), y), \qquad s = \mathrm{side}

    All places are tried, a stride apart, until one reaches the goal; a sample that stands keeps the
    place of the smallest margin. Sizes are shares of the image's area.

    Args:
        side: Side of the square, as a share of the shorter side of the image.
        stride: Pixels from place to place.
        transform: What covers the square.
        drop: Let a sample go once it is fooled.

    Raises:
        ValueError: The side is more than the image.

    References:
        Visualizing and understanding convolutional networks (Zeiler and Fergus, 2014), for occluding
        squares

    Example:
        >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 3))
        >>> found = Occlusion(side=0.5)(network, torch.rand(2, 1, 4, 4), torch.tensor([0, 1]))
        >>> found.size
        tensor([0.2500, 0.2500], dtype=torch.float64)
    """

    side: float = 0.3
    stride: int = 1
    transform: Transform = field(default_factory=Occluder)
    drop: bool = True

    def __post_init__(self) -> None:
        check_positive(self, "side", "stride")
        if self.side > 1:
            raise ValueError(f"{type(self).__name__}: side must be a share of at most 1, not {self.side}.")

    @property
    def norm(self) -> str:
        return "area"

    def maximising(self) -> Self:
        return replace(self, drop=False)

    def length(self, inputs: Tensor, parameters: Tensor) -> Tensor:
        return parameters[:, 2].square() / (inputs.shape[2] * inputs.shape[3])

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        theta, _ = self.worst(network, inputs, goal, self.longest(inputs))
        return Perturbed(self.apply(inputs, theta), unmeasured(inputs), theta)

    def longest(self, inputs: Tensor) -> int:
        """The side in pixels.

        Raises:
            ValueError: These are no images.
        """
        check_images(self, inputs)
        return max(1, round(self.side * min(inputs.shape[2:])))

    def worst(self, network: Network, inputs: Tensor, goal: Goal, side: int) -> tuple[Tensor, Tensor]:
        """``(N, 3)`` the worst square of a side, and ``(N,)`` its margin."""
        # The last place is one of them, whatever the stride.
        rows, columns = (
            torch.arange(0, n - side + self.stride, self.stride).clamp_max(n - side) for n in inputs.shape[2:]
        )
        places = torch.cartesian_prod(rows, columns, torch.tensor([side])).double().to(inputs.device)

        def images(sample: Tensor, place: Tensor) -> Tensor:
            covered = inputs[sample].repeat_interleave(place.shape[1], 0)
            return self.apply(covered, places[place.flatten()])

        place, margin = first_reached(network, goal, len(places), images, self.drop)
        return places[place], margin
