"""The side of a curved boundary on which an image lies, as a sign of an attack."""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from robust_train.defenses.base import Defense
from robust_train.defenses.curved import Curved
from robust_train.defenses.detecting import check_rate, detector, with_streams
from robust_train.perturbations.base import Perturbation, check_fitted
from robust_train.perturbations.pgd import PGD
from robust_train.types import Batches


@dataclass(frozen=True)
class CurvatureDetector(Defense):
    r"""Flag images from whose side the nearest boundary is curved as it is from beyond, and name that label.

    Where DeepFool crosses the boundary, at z, with :math:`F = f_i - f_j` of the label i of the image and
    that behind the boundary j, and unit vectors u along the boundary,

    .. math:: \kappa(x) = -\frac{1}{T} \sum_u \frac{\langle u,\, \nabla F(z + h u) - \nabla F(z - h u)
        \rangle}{2 h\, \|\nabla F(z)\|_2}

    is positive inside a ball and negative outside. Natural images see more of one sign; what an attack took
    just across sees the other, and the label across is the original one (``Curved.recovered``). The
    directions are the same for all images, drawn once by the seed. Which sign is the suspicious one is
    learnt from attacked held-out images; networks of rectifiers are flat piece by piece, so that h must not
    be small.

    Its slope is that of second differences of F (``Curved.curvature``), so that an attack on the pair can
    climb through it; ``PGD`` with restarts passes, the sooner as the nearest boundary is another one once it
    is far behind the first.

    Args:
        h: Length of the finite differences, in pixel units.
        draws: Number T of directions.
        steps: Iterations of DeepFool.
        perturbation: What is held against clean images, to learn the sign.
        false_positives: Share of clean images that may be flagged.
        seed: Seed of the directions.

    Raises:
        ValueError: A number has no meaning, the perturbation has to learn, or the network has a detector
            already.

    References:
        Empirical study of the topology and geometry of deep networks (Fawzi et al., 2018)

    Example:
        >>> pair = CurvatureDetector().wrap(nn.Sequential(nn.Flatten(), nn.Linear(16, 3))).eval()
        >>> bool(pair.curvature(torch.rand(2, 1, 4, 4))[0].abs().max() < 1e-4)  # a linear boundary
        True
    """

    h: float = 0.5
    draws: int = 10
    steps: int = 10
    perturbation: Perturbation = field(default_factory=lambda: PGD(drop=True))
    false_positives: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        check_rate("CurvatureDetector", self.false_positives)
        check_fitted(self, self.perturbation)
        if not min(self.h, self.draws, self.steps) > 0:
            raise ValueError("CurvatureDetector: h, draws and steps must be positive.")

    def wrap(self, network: nn.Module) -> nn.Module:
        return Curved(network, h=self.h, draws=self.draws, steps=self.steps, seed=self.seed)

    def calibrate(self, network: nn.Module, batches: Batches, held_out: Batches) -> None:
        pair = detector(network, Curved)
        sides: list[tuple[Tensor, Tensor]] = []
        for x, y, rng in with_streams(held_out, self.seed):
            attacked = self.perturbation(pair.network, x, y, rng=rng).inputs
            sides.append((pair.curvature(x)[0], pair.curvature(attacked)[0]))
        if sides:
            clean, attacked = (torch.cat(side) for side in zip(*sides, strict=True))
            sign = 1.0 if attacked.median() >= clean.median() else -1.0
            pair.slope.fill_(sign / float(clean.std(correction=0).clamp_min(1e-12)))
        pair.settle(held_out, self.false_positives)
