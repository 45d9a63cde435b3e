"""Bayesian uncertainty and kernel density as signs of an attack."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from robust_train.defenses.base import Defense
from robust_train.defenses.detecting import Detecting, check_rate, detector
from robust_train.defenses.kernel_density import log_density
from robust_train.defenses.logistic import logistic
from robust_train.defenses.precision import widened
from robust_train.norms import norm, unsqueeze_like
from robust_train.perturbations.base import Perturbation
from robust_train.perturbations.pgd import PGD
from robust_train.randomness import Streams
from robust_train.types import Batches


@dataclass(frozen=True)
class UncertaintyDetector(Defense):
    r"""Flag what the network is unsure of under dropout, and what is far from the images of its class.

    On the last hidden layer h, which dropout with keep probability q thins out in training, the score is

    .. math:: s(x) = a_0 + a_1 u(x) + a_2 \log p(h(x) \mid \hat{y}(x)), \qquad
        u(x) = \tfrac{1}{T} \sum_t y_t^\top y_t - \bar{y}^\top \bar{y}

    with the softmax y_t under T masks and a Gaussian kernel density over training images of the predicted
    class that are predicted right. The weights a are those of a logistic regression on held-out images:
    attacked ones against clean and noisy ones, the noise as long as the attack. In evaluation the masks
    are the same for all images, drawn once by the seed, so that an attack can climb through them. The
    paper drops units of every layer out.

    Against attacks that do not know of it, it flags most; attacks on the pair pass both parts (Carlini and
    Wagner).

    Args:
        keep: Probability q that a unit stays.
        draws: Masks T.
        bandwidth: Of the kernel, in units of the last hidden layer.
        points: Training images of a class that the density remembers, at the most.
        perturbation: What the regression learns to know.
        false_positives: Share of clean images that may be flagged.
        seed: Of masks and noise.

    Raises:
        ValueError: A number has no meaning, or the network has no dense layer or a detector already.

    References:
        Detecting adversarial samples from artifacts (Feinman et al., 2017)
        Adversarial examples are not easily detected: bypassing ten detection methods (Carlini and
        Wagner, 2017)

    Example:
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))
        >>> pair = UncertaintyDetector().wrap(network).eval()
        >>> pair(torch.rand(2, 1, 4, 4)).shape  # until it is calibrated
        torch.Size([2, 3])
    """

    keep: float = 0.5
    draws: int = 50
    bandwidth: float = 1.2
    points: int = 100
    perturbation: Perturbation = field(default_factory=lambda: PGD(drop=False))
    false_positives: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        check_rate("UncertaintyDetector", self.false_positives)
        if not (0 < self.keep < 1 and self.draws > 1 and self.bandwidth > 0 and self.points > 0):
            raise ValueError(
                "UncertaintyDetector: keep must be between 0 and 1, draws more than one, and bandwidth and "
                "points positive."
            )

    def wrap(self, network: nn.Module) -> nn.Module:
        return Uncertain(network, self)

    def calibrate(self, network: nn.Module, batches: Batches, held_out: Batches) -> None:
        pair = detector(network, Uncertain)
        pair.remember(batches)
        kinds: list[list[Tensor]] = [[], [], []]
        for start, (x, y) in enumerate(held_out):
            rng = Streams.of(self.seed, range(len(x))).fold(start)
            attacked = self.perturbation(pair.network, x, y, rng=rng).inputs
            for kind, images in zip(kinds, (x, _noisy(x, attacked - x, rng.fold(1)), attacked), strict=True):
                kind.append(pair.signs(images)[1])
        pair.regress([torch.cat(kind) for kind in kinds if kind])
        pair.settle(held_out, self.false_positives)


class Uncertain(Detecting):
    """A network, what it remembers of its training images, and how sure it is under dropout."""

    points: Tensor
    filled: Tensor
    masks: Tensor
    location: Tensor
    scale: Tensor
    weights: Tensor

    def __init__(self, network: nn.Module, settings: UncertaintyDetector) -> None:
        super().__init__(network, "UncertaintyDetector")
        dense = [module for module in _innermost(network).modules() if isinstance(module, nn.Linear)]
        if not dense:
            raise ValueError("UncertaintyDetector: the network has no dense layer that would end it.")
        self._last, self.keep, self.bandwidth = [dense[-1]], settings.keep, settings.bandwidth
        width, classes = dense[-1].in_features, dense[-1].out_features
        kept = Streams.of(settings.seed, range(settings.draws)).uniform((width,)) < settings.keep
        like = dense[-1].weight.detach()
        self.register_buffer("masks", kept.to(like) / settings.keep, persistent=False)
        self.register_buffer("points", like.new_zeros(classes, settings.points, width))
        self.register_buffer("filled", like.new_zeros(classes, settings.points))
        for name, size in (("location", 2), ("scale", 2), ("weights", 3)):
            self.register_buffer(name, like.new_zeros(size))

    def forward(self, x: Tensor) -> Tensor:
        return self._passed(x)[0] if self.training else super().forward(x)

    def scored(self, x: Tensor) -> tuple[Tensor, Tensor]:
        logits, signs = self.signs(x)
        return logits, ((signs - self.location) / self.scale) @ self.weights[:2] + self.weights[2]

    def signs(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits, and ``(N, 2)`` uncertainty and log-density."""
        logits, h = self._passed(x)
        label = logits.argmax(1)
        density = log_density(h, self.points[label], self.filled[label], self.bandwidth)
        y = self._last[0](h * self.masks[:, None]).softmax(2)
        return logits, torch.stack([uncertainty(y), density], 1)

    def remember(self, batches: Batches) -> None:
        """The last hidden layer on the first training images of each class that are predicted right."""
        with torch.no_grad():
            parts = [(*self._passed(x), y) for x, y in batches]
        logits, h, y = (torch.cat(column) for column in zip(*parts, strict=True))
        for label in range(len(self.points)):
            found = h[(y == label) & (logits.argmax(1) == label)][: self.points.shape[1]]
            self.points[label, : len(found)] = found
            self.filled[label] = (torch.arange(self.points.shape[1]) < len(found)).to(self.filled)

    def regress(self, kinds: list[Tensor]) -> None:
        """Weights from the signs of clean, noisy and attacked images.

        Raises:
            ValueError: There are none.
        """
        if not kinds:
            raise ValueError("A detector is calibrated on clean images, and there are none: hold some out.")
        signs, labels = (
            torch.cat(kinds),
            torch.cat([torch.full((len(k),), i == 2) for i, k in enumerate(kinds)]),
        )
        self.location.copy_(signs.mean(0))
        self.scale.copy_(signs.std(0).clamp_min(1e-12))
        self.weights.copy_(logistic((signs - self.location) / self.scale, labels))

    def _passed(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits, and ``(N, D)`` what comes into the last dense layer, thinned out in training."""
        seen: list[Tensor] = []

        def thin(module: nn.Module, inputs: tuple[Tensor, ...]) -> Any:
            seen.append(dropout(inputs[0], 1 - self.keep, self.training))
            return (seen[-1],)

        hook = self._last[0].register_forward_pre_hook(thin)
        try:
            logits = self.network(x)
        finally:
            hook.remove()
        if not seen:
            raise ValueError("UncertaintyDetector: the last dense layer that the network has never runs.")
        return widened(logits), widened(seen[-1])


def _innermost(network: nn.Module) -> nn.Module:
    """The network without what wraps it, which may hold others, such as a teacher."""
    held = getattr(network, "network", None)
    return _innermost(held) if isinstance(held, nn.Module) else network


def uncertainty(y: Tensor) -> Tensor:
    r"""``(N,)`` summed variances of ``(T, N, K)`` outputs over T draws.

    .. math:: \frac{1}{T} \sum_t y_t^\top y_t - \bar{y}^\top \bar{y}
    """
    return y.square().sum(2).mean(0) - y.mean(0).square().sum(1)


def _noisy(x: Tensor, r: Tensor, rng: Streams) -> Tensor:
    """The images with Gaussian noise as long as ``r``, inside the box."""
    v = rng.normal(tuple(x.shape[1:]), x)
    return (x + v * unsqueeze_like(norm(r, "l2") / norm(v, "l2"), x)).clamp(0, 1)
