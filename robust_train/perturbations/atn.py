"""Adversarial transformation networks."""

from dataclasses import dataclass, field, replace
from math import prod
from typing import ClassVar, Literal, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from robust_train.attacking.modes import differentiable, frozen
from robust_train.attacking.rejection import leaving
from robust_train.checks import check_positive
from robust_train.norms import norm, unsqueeze_like
from robust_train.perturbations.base import Budgeted, unmeasured
from robust_train.perturbations.training import descend, drawn, first_images, like, shuffled
from robust_train.randomness import Streams
from robust_train.types import Batches, Goal, Network, Perturbed


@dataclass(frozen=True, kw_only=True)
class ATN(Budgeted):
    r"""A network that is trained once to turn images into adversarial ones, without any gradient later.

    .. math:: \min_\theta \sum_x \beta \|g_\theta(x) - x\|_2^2
        + H\big(r_\alpha(p(x), t),\; p(g_\theta(x))\big)

    with p the probabilities of the classifier and :math:`r_\alpha` those with the target's raised to
    alpha times the largest, and normalised. The target is one class for all; without one, the margin
    of the predicted label takes the place of H, cut off at -1, so that images that are fooled
    already leave the training to the others. The perturbation form learns the change,
    :math:`g(x) = x + G(x)`; the auto-encoding form makes the whole image. Either is bounded to the
    ball smoothly.

    Departures from the paper: the budget, the form without a target, and the cross-entropy H
    instead of the squared distance of the probabilities, whose gradient vanishes where the
    classifier is sure. A goal given later changes nothing: what is aimed at is fixed when learning.

    Args:
        form: Learn the change, or the image.
        target: Class that all images are to get; without, they are to leave the predicted one.
        alpha: How far the target is raised above the largest probability.
        beta: Weight of the squared l2 distance.
        images: Images to learn from, at the most.
        epochs: Epochs of training, with Adam.
        learning_rate: Learning rate of the training.
        batch_size: Images in a batch of the training.
        width: Channels of the network's layers.
        generator: What ``fit`` trained.

    References:
        Learning to attack: adversarial transformation networks (Baluja and Fischer, 2018)

    Example:
        >>> images, labels = torch.rand(8, 4), torch.zeros(8, dtype=torch.int64)
        >>> network = torch.nn.Linear(4, 3)
        >>> attack = ATN(eps=0.1, epochs=1).fit(network, [(images, labels)], Streams.of(0, [0]))
        >>> bool((attack(network, images, labels).size <= 0.1).all())
        True
    """

    norm: Literal["linf", "l2"] = "linf"
    form: Literal["perturbation", "autoencoding"] = "perturbation"
    target: int | None = None
    alpha: float = 1.5
    beta: float = 0.01
    images: int = 2000
    epochs: int = 10
    learning_rate: float = 5e-3
    batch_size: int = 64
    width: int = 32
    generator: nn.Module | None = field(default=None, compare=False, repr=False)
    learns: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "images", "epochs", "learning_rate", "batch_size", "width")
        check_positive(self, "beta", "target", zero=True)
        if not self.alpha > 1:
            raise ValueError(f"ATN: alpha must be more than 1, not {self.alpha}.")

    @property
    def fitted(self) -> bool:
        return self.generator is not None

    def fit(self, network: Network, batches: Batches, rng: Streams) -> Self:
        """Train the generator against this network.

        Raises:
            ValueError: There are no images.
        """
        with differentiable(), frozen(network):
            images = first_images(batches, self.images, "ATN")
            kind = _Convolutional if images.ndim == 4 else _FullyConnected
            generator = drawn(lambda: kind(tuple(images.shape[1:]), self.width), rng, images)
            optimizer = torch.optim.Adam(generator.parameters(), self.learning_rate)
            for rows in shuffled(len(images), self.epochs, self.batch_size, rng.fold(-1)):
                descend(optimizer, self._loss(network, generator, images[rows.to(images.device)]), generator)
        return replace(self, generator=generator.requires_grad_(False).eval())

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        if self.generator is None:
            raise ValueError(
                "ATN has not been trained: call fit(network, batches, rng) on training images, or let "
                "evaluate(...) do so."
            )
        with torch.no_grad():
            return Perturbed(self._transform(like(self.generator, inputs), inputs), unmeasured(inputs))

    def _loss(self, network: Network, generator: nn.Module, x: Tensor) -> Tensor:
        with torch.no_grad():
            clean = network(x)
        y = self._transform(generator, x)
        distance = (y - x).square().flatten(1).sum(1)
        return (self.beta * distance + self._miss(network, clean, network(y))).mean()

    def _miss(self, network: Network, clean: Tensor, logits: Tensor) -> Tensor:
        """``(N,)`` how far the logits are from what is aimed at."""
        if self.target is None:
            goal = leaving(network, clean)
            return replace(goal, labels=goal.labels.clamp_min(0)).margin(logits).clamp_min(-1)
        p = clean.softmax(1)
        raised = p.index_copy(
            1, torch.tensor([self.target], device=p.device), self.alpha * p.amax(1, keepdim=True)
        )
        aim = raised / raised.sum(1, keepdim=True)
        return -(aim * logits.log_softmax(1)).sum(1)

    def _transform(self, generator: nn.Module, x: Tensor) -> Tensor:
        low, high = self.bounds or (-torch.inf, torch.inf)
        eps = max(self.eps, 1e-12)
        u: Tensor = generator(x)  # in units of eps
        if self.form == "autoencoding":
            u = ((low + (high - low) * u.sigmoid() if self.bounds else u) - x) / eps
        elif self.norm == "linf":
            # Between the ends of what is admissible: at a wall, no slope would lead back from behind it.
            first, last = (x - eps).clamp_min(low), (x + eps).clamp_max(high)
            return (first + last) / 2 + (last - first) / 2 * u.tanh()
        if self.norm == "linf":
            return (x + eps * u.tanh()).clamp(low, high)
        longer = (1 + norm(u, "l2").square()).sqrt()
        return (x + eps * u / unsqueeze_like(longer, u)).clamp(low, high)


class _FullyConnected(nn.Module):
    """One hidden layer."""

    def __init__(self, shape: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(prod(shape), 4 * width)
        self.out = nn.Linear(4 * width, prod(shape))

    def forward(self, x: Tensor) -> Tensor:
        r: Tensor = self.out(self.hidden(x.flatten(1)).relu())
        return r.view_as(x)


class _Convolutional(nn.Module):
    """To half of the resolution and back, beside the image itself."""

    def __init__(self, shape: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.fine = nn.Conv2d(shape[0], width, 3, padding=1)
        self.coarse = nn.Conv2d(width, 2 * width, 5, stride=2, padding=2)
        self.wide = nn.Conv2d(2 * width, 2 * width, 5, padding=2)
        self.out = nn.Conv2d(3 * width, shape[0], 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        fine = self.fine(x).relu()
        coarse = self.wide(self.coarse(fine).relu()).relu()
        coarse = interpolate(coarse, size=x.shape[-2:], mode="nearest")
        r: Tensor = self.out(torch.cat([fine, coarse], 1))
        return r
