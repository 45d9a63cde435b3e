"""Bayesian uncertainty and kernel density as signs of an attack."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from robust_train.defenses.base import Defense
from robust_train.defenses.detecting import check_rate, detector, with_streams
from robust_train.defenses.uncertain import Uncertain
from robust_train.norms import norm, unsqueeze_like
from robust_train.perturbations.base import Perturbation, check_fitted
from robust_train.perturbations.pgd import PGD
from robust_train.randomness import Streams
from robust_train.types import Batches


@dataclass(frozen=True)
class UncertaintyDetector(Defense):
    r"""Flag what the network is unsure of under dropout, and what is far from the images of its class.

    On the last hidden layer h, which dropout with keep probability q thins out in training (torch's own,
    drawn from its global generator), the score is

    .. math:: s(x) = a_0 + a_1 u(x) + a_2 \log p(h(x) \mid \hat{y}(x)), \qquad
        u(x) = \tfrac{1}{T} \sum_t y_t^\top y_t - \bar{y}^\top \bar{y}

    with the softmax y_t under T masks and a Gaussian kernel density over training images of the predicted
    class that are predicted right. The weights a are those of a logistic regression on held-out images:
    attacked ones against clean and noisy ones, the noise as long as the attack. As in the authors' code,
    what is wrong from the start does not count, and what the attack left right does. In evaluation the
    masks are the same for all images, drawn once by the seed, so that an attack can climb through them.
    The paper drops units of every layer out.

    Against attacks that do not know of it, it flags most; attacks on the pair pass both parts (Carlini and
    Wagner).

    Args:
        keep: Probability q that a unit stays.
        draws: Number T of masks.
        bandwidth: Bandwidth of the kernel, in units of the last hidden layer.
        points: Training images of a class that the density remembers, at the most.
        perturbation: What the regression learns to know.
        false_positives: Share of clean images that may be flagged.
        seed: Seed of masks and noise.

    Raises:
        ValueError: A number has no meaning, the perturbation has to learn, or the network has no dense layer
            or a detector already.

    Warns:
        UserWarning: In the calibration, none of the held-out images is classified right.

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
        check_fitted(self, self.perturbation)
        if not (0 < self.keep < 1 and self.draws > 1 and self.bandwidth > 0 and self.points > 0):
            raise ValueError(
                "UncertaintyDetector: keep must be between 0 and 1, draws more than one, and bandwidth and "
                "points positive."
            )

    def wrap(self, network: nn.Module) -> nn.Module:
        return Uncertain(
            network,
            keep=self.keep,
            draws=self.draws,
            bandwidth=self.bandwidth,
            points=self.points,
            seed=self.seed,
        )

    def calibrate(self, network: nn.Module, batches: Batches, held_out: Batches) -> None:
        pair = detector(network, Uncertain)
        pair.remember(batches)
        kinds: list[list[Tensor]] = [[], [], []]
        for x, y, rng in self._learnable(pair.network, held_out):
            attacked = self.perturbation(pair.network, x, y, rng=rng).inputs
            noisy = _noisy(x, attacked - x, rng.fold(0x2A01))
            for kind, images in zip(kinds, (x, noisy, attacked), strict=True):
                kind.append(pair.signs(images)[1])
        pair.regress([torch.cat(kind) for kind in kinds if kind])
        pair.settle(held_out, self.false_positives)

    def _learnable(self, network: nn.Module, batches: Batches) -> Iterator[tuple[Tensor, Tensor, Streams]]:
        """What the network classifies right, if there is any, with the streams of the samples."""
        seen = right = 0
        for x, y, rng in with_streams(batches, self.seed):
            rows = (network(x).argmax(1) == y).nonzero().squeeze(1)
            seen, right = seen + len(x), right + len(rows)
            if len(rows):
                yield x[rows], y[rows], rng.take(rows)
        if seen and not right:
            warnings.warn(
                "UncertaintyDetector: no held-out image is classified right, so that it learns from wrong "
                "ones: train the network longer.",
                stacklevel=2,
            )
            yield from with_streams(batches, self.seed)


def _noisy(x: Tensor, r: Tensor, rng: Streams) -> Tensor:
    """The images with Gaussian noise as long as ``r``, inside the box."""
    v = rng.normal(tuple(x.shape[1:]), x)
    return (x + v * unsqueeze_like(norm(r, "l2") / norm(v, "l2"), x)).clamp(0, 1)
