"""Perturbations that are transformations: measured by their parameters."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor
from torch.nn.functional import pad

from robust_train.norms import unsqueeze_like
from robust_train.perturbations.base import Perturbation
from robust_train.randomness import Streams
from robust_train.transforms.base import Transform
from robust_train.types import Goal, Network, Perturbed

_REPEATED = 1e-4  # how closely, in pixel units, the parameters must give the images


@dataclass(frozen=True, kw_only=True)
class Transformed(Perturbation):
    r"""What transforms the image, :math:`T_\theta(x)`, and is measured by :math:`\theta`.

    A search returns the parameters, and the images that they make; where it found nothing that
    reaches the goal, a minimal one returns a size of inf. Further columns may follow the
    parameters of the transformation, where these alone do not tell the size.

    Args:
        transform: The family of transformations.

    Example:
        >>> from robust_train.perturbations.worst_pose import WorstPose
        >>> from robust_train.transforms import Rotation
        >>> search = WorstPose(transform=Rotation(), limits=(30.0,), grid=(5,))
        >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 3))
        >>> found = search(network, torch.rand(2, 1, 8, 8), torch.tensor([0, 1]))
        >>> bool((found.parameters.abs() <= 30).all())  # degrees
        True
    """

    transform: Transform

    @property
    @abstractmethod
    def norm(self) -> str:
        """The unit of the sizes, for the report."""

    @abstractmethod
    def length(self, inputs: Tensor, parameters: Tensor) -> Tensor:
        """``(N,)`` float64 size of the parameters; 0 for the identity."""

    def apply(self, inputs: Tensor, parameters: Tensor, rng: Streams | None = None) -> Tensor:
        """The images that the parameters make, inside the bounds; ``rng`` for what a random one draws."""
        y = self.transform(inputs, parameters[:, : len(self.transform.names)], rng)
        return y if self.bounds is None else y.clamp(*self.bounds)

    @final
    def certify(self, network: Network, inputs: Tensor, goal: Goal, found: Perturbed) -> Perturbed:
        """Images that are finite and inside the bounds; of a minimal search, those that reach the goal."""
        assert found.parameters is not None
        y = found.inputs.detach() if self.bounds is None else found.inputs.detach().clamp(*self.bounds)
        kept = y.flatten(1).isfinite().all(1)
        if self.minimal:
            kept &= goal.reached(network(y)) & ~found.size.isposinf()
        neutral = self.transform.neutral(inputs)
        neutral = pad(neutral, (0, found.parameters.shape[1] - neutral.shape[1]))
        parameters = torch.where(kept[:, None], found.parameters, neutral)
        y = torch.where(unsqueeze_like(kept, y), y, inputs)
        size = self.measure(inputs, y, parameters)
        return Perturbed(y, size.masked_fill(~kept, torch.inf) if self.minimal else size, parameters)

    def measure(self, inputs: Tensor, perturbed: Tensor, parameters: Tensor | None = None) -> Tensor:
        """Size of the parameters; inf where they do not give the images (unless those are random)."""
        assert parameters is not None
        size = self.length(inputs, parameters).double()
        if self.transform.random:
            return size
        error = (self.apply(inputs, parameters) - perturbed).flatten(1).abs().amax(1)
        return size.masked_fill(~(error <= _REPEATED), torch.inf)


def check_severity(owner: Any, transform: Transform, field: str, value: float) -> None:
    """Refuse a transform of several parameters, and a value that its one parameter cannot take."""
    name, kind, count = type(owner).__name__, type(transform).__name__, len(transform.names)
    if count != 1:
        raise ValueError(f"{name}: {kind} has {count} parameters: give a transform with one.")
    low, high = transform.interval
    if not low <= value <= high:
        raise ValueError(
            f"{name}: {kind} takes a {transform.names[0]} from {low:g} to {high:g}, not {value:g}: "
            f"change {field}."
        )


def check_limits(owner: Any, transform: Transform, limits: tuple[float, ...]) -> None:
    """Refuse limits that are not a positive number for each parameter of the transform."""
    if len(limits) != len(transform.names) or not all(limit > 0 for limit in limits):
        raise ValueError(
            f"{type(owner).__name__}: limits must be a positive number for each of "
            f"{', '.join(transform.names)}, not {limits}."
        )
