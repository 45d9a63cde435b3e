"""Adversarial patches: one for all images, wherever it lies."""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self, final

import torch
from torch import Tensor

from robust_train.attacking.gradients import input_gradient
from robust_train.attacking.modes import differentiable, frozen
from robust_train.attacking.rejection import leaving
from robust_train.checks import check_positive
from robust_train.norms import unsqueeze_like
from robust_train.objectives import CrossEntropy, Objective
from robust_train.perturbations.base import Perturbation
from robust_train.perturbations.training import first_images, shuffled
from robust_train.randomness import Streams
from robust_train.types import Batches, Goal, Network, Perturbed


@dataclass(frozen=True, kw_only=True)
class Patch(Perturbation):
    r"""A rectangle that is pasted over a random place of every image, learnt from some of them.

    .. math:: \max_p\; \mathbb{E}_{x, \tau}\, \ell\big(f(A(p, x, \tau)), y\big)

    where A pastes the patch p at the place :math:`\tau`, uniform over the image; each step takes
    the sign of the gradient over a batch of images and places. y is the target, the same for
    all images, or the predicted label, which is to be left. Sizes are shares of the image's area.

    Args:
        area: Share of the image that the patch covers; it has the image's proportions.
        target: Class that all images are to get, or none.
        images: Images to learn from, at the most.
        epochs: Passes over the images.
        batch_size: Images in a step.
        step_size: First step, in pixel units, falling to zero.
        objective: The loss that is ascended.
        pattern: ``(C, h, w)`` what ``fit`` learnt.

    References:
        Adversarial patch (Brown et al., 2017)

    Example:
        >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 3))
        >>> images, labels = torch.rand(8, 1, 8, 8), torch.zeros(8, dtype=torch.int64)
        >>> attack = Patch(area=0.25, epochs=1).fit(network, [(images, labels)], Streams.of(0, [0]))
        >>> attack(network, images, labels).size.unique()
        tensor([0.2500], dtype=torch.float64)
    """

    bounds: tuple[float, float] = (0.0, 1.0)
    area: float = 0.1
    target: int | None = None
    images: int = 500
    epochs: int = 20
    batch_size: int = 50
    step_size: float = 0.1
    objective: Objective = field(default_factory=CrossEntropy)
    pattern: Tensor | None = field(default=None, compare=False, repr=False)
    learns: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_positive(self, "images", "epochs", "batch_size", "step_size")
        check_positive(self, "target", zero=True)
        if not 0 < self.area <= 1:
            raise ValueError(f"Patch: area must be a share between 0 and 1, not {self.area}.")
        if self.bounds is None:
            raise ValueError("Patch: bounds must be two numbers: a pattern needs a box to start in.")

    @property
    def norm(self) -> str:
        """The unit of the sizes, for the report."""
        return "area"

    @property
    def fitted(self) -> bool:
        return self.pattern is not None

    def fit(self, network: Network, batches: Batches, rng: Streams) -> Self:
        """Learn the pattern.

        Raises:
            ValueError: There are no images, or what there is are none.
        """
        with differentiable(), frozen(network):
            images = first_images(batches, self.images, "Patch")
            if images.ndim != 4:
                raise ValueError(f"Patch: inputs have shape {tuple(images.shape)}: give images (N, C, H, W).")
            pattern, goal = self._grey(images), self._aim(network, images)
            places = rng.fold(1).uniform((self.epochs, len(images), 2), images)[0].flatten(0, 1)
            steps = list(shuffled(len(images), self.epochs, self.batch_size, rng))
            for step, rows in enumerate(steps):
                rows, (drawn, places) = rows.to(images.device), (places[: len(rows)], places[len(rows) :])
                gradient = self._gradient(network, images[rows], goal.take(rows), pattern, drawn)
                alpha = self.step_size * (1 - step / len(steps))
                pattern = (pattern + alpha * gradient.sign()).clamp(*self.bounds)
        return replace(self, pattern=pattern)

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        if self.pattern is None:
            raise ValueError(
                "Patch has not been learnt: call fit(network, batches, rng) on training images, or let "
                "evaluate(...) do so."
            )
        corners = self._corners(inputs, self.pattern, rng.uniform((2,), inputs))
        y = paste(inputs, self.pattern.to(inputs), corners)
        return Perturbed(y, self.measure(inputs, y, corners), corners)

    @final
    def certify(self, network: Network, inputs: Tensor, goal: Goal, found: Perturbed) -> Perturbed:
        """Images that are finite and inside the bounds."""
        finite = found.inputs.flatten(1).isfinite().all(1)
        y = torch.where(unsqueeze_like(finite, inputs), found.inputs.clamp(*self.bounds), inputs)
        return replace(found, inputs=y, size=self.measure(inputs, y, found.parameters))

    def measure(self, inputs: Tensor, perturbed: Tensor, parameters: Tensor | None = None) -> Tensor:
        """The share that the patch covers; inf where anything else changed."""
        assert parameters is not None
        covered = paste(torch.zeros_like(inputs), torch.ones_like(self._grey(inputs)), parameters)
        elsewhere = ((inputs != perturbed) & (covered == 0)).flatten(1).any(1)
        return covered.double().flatten(1).mean(1).masked_fill(elsewhere, torch.inf)

    def _grey(self, images: Tensor) -> Tensor:
        side = self.area**0.5
        rows, columns = (max(1, round(side * size)) for size in images.shape[-2:])
        return images.new_full((images.shape[1], rows, columns), sum(self.bounds) / 2)

    def _aim(self, network: Network, images: Tensor) -> Goal:
        with torch.no_grad():
            logits = torch.cat([network(part) for part in torch.split(images, self.batch_size)])
        goal = leaving(network, logits)
        # An image without a prediction has nothing to leave: its loss is that of any class.
        if self.target is None:
            return replace(goal, labels=goal.labels.clamp_min(0))
        return replace(goal, labels=torch.full_like(goal.labels, self.target), targeted=True)

    def _gradient(self, network: Network, x: Tensor, goal: Goal, pattern: Tensor, places: Tensor) -> Tensor:
        """Of the sum of the losses, with respect to the pattern."""
        corners = self._corners(x, pattern, places)
        y = paste(x, pattern, corners)
        gradient = input_gradient(network, y, lambda z: self.objective(z, goal)).gradient
        return cut(gradient, pattern, corners).sum(0)

    def _corners(self, inputs: Tensor, pattern: Tensor, places: Tensor) -> Tensor:
        """``(N, 2)`` float64 row and column of the upper left corner, from places in [0, 1)."""
        free = [inputs.shape[axis] - pattern.shape[axis] + 1 for axis in (-2, -1)]
        return (places.double() * torch.tensor(free, device=places.device)).floor()


def paste(x: Tensor, pattern: Tensor, corners: Tensor) -> Tensor:
    """``(N, C, H, W)`` images with the pattern at these corners."""
    rows, columns = _inside(pattern, corners)
    y = x.clone()
    sample = torch.arange(len(x), device=x.device)[:, None, None]
    y.permute(0, 2, 3, 1)[sample, rows, columns] = pattern.permute(1, 2, 0)
    return y


def cut(x: Tensor, pattern: Tensor, corners: Tensor) -> Tensor:
    """``(N, C, h, w)`` what lies under the pattern at these corners."""
    rows, columns = _inside(pattern, corners)
    sample = torch.arange(len(x), device=x.device)[:, None, None]
    return x.permute(0, 2, 3, 1)[sample, rows, columns].permute(0, 3, 1, 2)


def _inside(pattern: Tensor, corners: Tensor) -> tuple[Tensor, Tensor]:
    """Rows ``(N, h, 1)`` and columns ``(N, 1, w)`` under the pattern."""
    top, left = corners.long().unbind(1)
    rows, columns = (torch.arange(size, device=corners.device) for size in pattern.shape[1:])
    return top[:, None, None] + rows[:, None], left[:, None, None] + columns
