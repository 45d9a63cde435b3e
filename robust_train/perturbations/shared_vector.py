"""One vector for all images: what universal perturbations share."""

from abc import abstractmethod
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self, final

import torch
from torch import Tensor

from robust_train.attacking.modes import channels_last, differentiable, frozen
from robust_train.attacking.rejection import leaving
from robust_train.checks import check_positive
from robust_train.norms import Ball
from robust_train.perturbations.base import Budgeted, unmeasured
from robust_train.randomness import Streams
from robust_train.types import BallNorm, Batches, Bounds, Goal, Network, Perturbed


@dataclass(frozen=True, kw_only=True)
class SharedVector(Budgeted):
    r"""The same vector added to every image, learnt from some of them.

    .. math:: T_v(x) = x + v, \qquad \|v\|_p \le \epsilon

    It is after the *predicted* labels: what it is worth is its fooling rate, on images that it
    was not learnt from. The image space is unbounded by default, as in the theory; a box cuts x + v
    short, image by image.

    Args:
        images: Images to learn from, at the most.
        batch_size: Images that a step of learning looks at together.
        vector: ``(C, H, W)`` what ``fit`` learnt.

    Example:
        >>> from robust_train.perturbations.universal_gradient import UniversalGradient
        >>> images, labels = torch.rand(8, 4), torch.zeros(8, dtype=torch.int64)
        >>> network, rng = torch.nn.Linear(4, 3), Streams.of(0, [0])
        >>> learnt = UniversalGradient(eps=0.5).fit(network, [(images, labels)], rng)
        >>> torch.allclose(learnt(network, images, labels).inputs, images + learnt.vector)
        True
    """

    bounds: Bounds = None
    norm: BallNorm = "linf"
    eps: float = 10 / 255
    images: int = 1000
    batch_size: int = 100
    vector: Tensor | None = field(default=None, compare=False, repr=False)
    learns: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "images", "batch_size")

    @property
    def fitted(self) -> bool:
        return self.vector is not None

    @abstractmethod
    def learn(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Tensor:
        """``(C, H, W)`` a vector of norm ``eps`` at the most that leaves many of the predicted labels.

        Args:
            network: Images to logits.
            inputs: ``(N, C, H, W)`` the images.
            goal: To leave what is predicted for them.
            rng: One stream.
        """

    @final
    def fit(self, network: Network, batches: Batches, rng: Streams) -> Self:
        """Learn the vector from the first ``images`` images.

        Raises:
            ValueError: There are none.
        """
        parts = [inputs for inputs, _ in batches if len(inputs)]
        if not parts:
            raise ValueError(
                f"{type(self).__name__} has no images to learn from: give evaluate(...) training images, or "
                "a data module with a training part."
            )
        with differentiable(), frozen(network), channels_last(network):
            inputs = torch.cat(parts)[: self.images]
            goal = leaving(network, self.logits(network, inputs))
            return replace(self, vector=self.learn(network, inputs, goal, rng).detach())

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        if self.vector is None:
            raise ValueError(
                f"{type(self).__name__} has not learnt its vector: call fit(network, batches, rng) on images "
                "to learn from, or let evaluate(...) do so."
            )
        if self.vector.shape != inputs.shape[1:]:
            raise ValueError(
                f"{type(self).__name__} learnt from images of shape {tuple(self.vector.shape)}, and these "
                f"have {tuple(inputs.shape[1:])}: fit it on images of theirs."
            )
        return Perturbed(self.shifted(inputs, self.vector.to(inputs)), unmeasured(inputs))

    def shifted(self, inputs: Tensor, vector: Tensor) -> Tensor:
        """The images with the vector added, inside the bounds."""
        y = inputs + vector
        return y if self.bounds is None else y.clamp(*self.bounds)

    def project(self, vector: Tensor) -> Tensor:
        """The nearest vector of norm ``eps`` at the most."""
        return Ball.around(torch.zeros_like(vector[None]), self.norm, self.eps, None).project(vector[None])[0]

    def rate(self, network: Network, inputs: Tensor, goal: Goal, vector: Tensor) -> float:
        """Share of the images whose predicted label the vector changes."""
        return float(goal.reached(self.logits(network, self.shifted(inputs, vector))).double().mean())

    def logits(self, network: Network, inputs: Tensor) -> Tensor:
        """``(N, K)``, a batch at a time."""
        with torch.no_grad():
            return torch.cat([network(part) for part in torch.split(inputs, self.batch_size)])
