"""Minimal perturbations that only touch a part of the image."""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from robust_train.perturbations.base import Minimal
from robust_train.perturbations.deepfool import DeepFool
from robust_train.randomness import Streams
from robust_train.transforms.eyeglass_frame import EyeglassFrame
from robust_train.transforms.mask import Mask
from robust_train.types import Goal, Network, Norm, Perturbed


@dataclass(frozen=True, kw_only=True)
class Masked(Minimal):
    r"""Smallest perturbation inside a mask, by a search that follows gradients.

    .. math:: \min_r \|M r\|_p \quad \text{subject to} \quad f(x + M r) \neq f(x)

    The search is shown a network whose gradient vanishes outside of the mask, so that nothing
    there moves; on a linear network :math:`\|M w\|` takes the place of :math:`\|w\|`. What the search
    changes elsewhere all the same is undone.

    Args:
        minimal_search: The search, in whose norm sizes are measured.
        mask: Where the images may change.

    Raises:
        ValueError: The search draws random numbers, for a start or a direction: it would move pixels
            that have no gradient.

    Example:
        >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 3))
        >>> x = torch.rand(2, 1, 8, 8)
        >>> found = Masked()(network, x, torch.tensor([0, 1]))
        >>> bool(((found.inputs == x) | EyeglassFrame()(x)).all())
        True
    """

    norm: Norm = field(init=False, repr=False)
    minimal_search: Minimal = field(default_factory=DeepFool)
    mask: Mask = field(default_factory=EyeglassFrame)

    def __post_init__(self) -> None:
        object.__setattr__(self, "norm", self.minimal_search.norm)

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        mask = self.mask(inputs)

        def inside(x: Tensor) -> Tensor:
            return network(torch.where(mask, x, x.detach()))

        search = replace(self.minimal_search, bounds=self.bounds)
        still = _Undrawn(rng.seed, rng.index, rng.restart, rng.purpose)
        found = search(inside, inputs, goal.labels, goal=goal, rng=still)
        return replace(found, inputs=torch.where(mask, found.inputs, inputs))

    def measure(self, inputs: Tensor, perturbed: Tensor, parameters: Tensor | None = None) -> Tensor:
        return off_the_mask(super().measure(inputs, perturbed), self.mask(inputs), inputs, perturbed)


class _Undrawn(Streams):
    """For a search that has no need of random numbers."""

    def _draw(self, shape: tuple[int, ...], like: Tensor | None, law: str) -> Tensor:
        raise ValueError(
            "Masked: minimal_search draws random numbers, which move pixels outside of the mask: give one "
            "that only follows gradients, such as DeepFool(), FAB(restarts=1) or "
            "Smallest(budgeted=PGD(random_start=False))."
        )


def off_the_mask(size: Tensor, mask: Tensor, inputs: Tensor, perturbed: Tensor) -> Tensor:
    """The sizes, inf where a pixel changed that the mask does not let change."""
    changed = (inputs != perturbed) & ~mask
    return size.masked_fill(changed.flatten(1).any(1), torch.inf)
