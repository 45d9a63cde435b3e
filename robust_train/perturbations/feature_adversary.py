"""Feature adversaries: inputs whose inner representation is that of another image."""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import torch
from torch import Tensor

from robust_train.attacking.activations import representation
from robust_train.attacking.best import Best
from robust_train.attacking.gradients import input_gradient
from robust_train.checks import check_positive
from robust_train.norms import steepest
from robust_train.perturbations.base import Budgeted, unmeasured
from robust_train.randomness import Streams
from robust_train.types import Batches, Goal, Network, Perturbed


@dataclass(frozen=True, kw_only=True)
class FeatureAdversary(Budgeted):
    r"""Match the inner representation of a guide image, within a budget.

    .. math:: \min_r \|\phi(x + r) - \phi(x_g)\|_2 \quad \text{subject to} \quad \|r\|_p \le \epsilon

    with :math:`\phi` the activations of a layer. The guides are the first training image of each
    class. That of a sample belongs to the class it is to reach, or, where it is to leave its
    own, to the next one. The goal itself is not looked at: an image that looks like a guide to the
    network is likely, but not bound, to get the guide's label.

    Steps along the steepest direction that shorten to zero take the place of the authors' L-BFGS;
    the iterate with the nearest representation counts.

    Args:
        layer: Name of the layer, or the end of it; by default the logits.
        steps: Gradient steps.
        step_size: First step, in the norm; by default a quarter of eps.
        images: Training images to look for guides among, at the most.
        guides: ``(G, C, H, W)`` what ``fit`` found.
        classes: ``(G,)`` their labels, ascending.

    References:
        Adversarial manipulation of deep representations (Sabour et al., 2016)

    Example:
        >>> images, labels = torch.rand(8, 4), torch.arange(8) % 3
        >>> network = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.ReLU(), torch.nn.Linear(6, 3))
        >>> attack = FeatureAdversary(eps=0.1, layer="0")
        >>> attack = attack.fit(network, [(images, labels)], Streams.of(0, [0]))
        >>> bool((attack(network, images, labels).size <= 0.1).all())
        True
    """

    eps: float = 10 / 255
    layer: str | None = None
    steps: int = 100
    step_size: float | None = None
    images: int = 1000
    guides: Tensor | None = field(default=None, compare=False, repr=False)
    classes: Tensor | None = field(default=None, compare=False, repr=False)
    learns: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "steps", "step_size", "images")

    @property
    def fitted(self) -> bool:
        return self.guides is not None

    def fit(self, network: Network, batches: Batches, rng: Streams) -> Self:
        """Keep the first image of each class.

        Raises:
            ValueError: There are no images.
        """
        first: dict[int, Tensor] = {}
        for inputs, labels in batches:
            for image, label in zip(inputs, labels.tolist(), strict=True):
                first.setdefault(label, image)
        if not first:
            raise ValueError("FeatureAdversary has no images to take guides from: give it training images.")
        classes = sorted(first)
        guides = torch.stack([first[label] for label in classes]).clone()
        return replace(self, guides=guides, classes=torch.tensor(classes, device=guides.device))

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        alpha, ball, best = self.step_size or self.eps / 4, self.ball(inputs), Best(inputs)
        rows, x = torch.arange(len(inputs), device=inputs.device), inputs
        with representation(network, self.layer) as phi:
            with torch.no_grad():
                phi_g = phi(self._guides(inputs, goal))
            for step in range(self.steps):
                _, distance, gradient = input_gradient(phi, x, lambda z: (z - phi_g).square().sum(1))
                best.update(rows, x, -distance)
                x = ball.project(x - alpha * (1 - step / self.steps) * steepest(gradient, self.norm))
            with torch.no_grad():
                best.update(rows, x, -(phi(x) - phi_g).square().sum(1))
        return Perturbed(best.inputs, unmeasured(inputs))

    def _guides(self, inputs: Tensor, goal: Goal) -> Tensor:
        """``(N, C, H, W)`` the guide of each sample, of the class it is after or of the next known."""
        if self.guides is None or self.classes is None:
            raise ValueError(
                "FeatureAdversary has no guides: call fit(network, batches, rng) on training images, or let "
                "evaluate(...) do so."
            )
        wanted = goal.labels if goal.targeted else goal.labels + 1
        places = torch.searchsorted(self.classes.to(inputs.device), wanted.contiguous()) % len(self.classes)
        return self.guides.to(inputs)[places]
