"""Universal perturbations out of the directions in which decision boundaries bend towards the images."""

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from robust_train.attacking.gradients import input_gradient
from robust_train.checks import check_positive
from robust_train.norms import norm, steepest
from robust_train.perturbations.spanned_vector import SpannedVector
from robust_train.randomness import Streams
from robust_train.types import Goal, Network

_ROUNDING = 1e-4  # of the length of a vector: what is shorter has no direction of its own


@dataclass(frozen=True, kw_only=True)
class UniversalCurvature(SpannedVector):
    r"""Go far along directions in which the boundaries near many images bend towards them.

    .. math:: K = -\frac{1}{m} \sum_i \frac{P_i \nabla^2 F_i(z_i) P_i}{\|\nabla F_i(z_i)\|}, \qquad
        P_i = I - n_i n_i^\top, \qquad V_1, \dots, V_k = \text{its top eigenvectors}

    with F the margin of the predicted label, z where DeepFool crosses the boundary and n the normal
    there: :math:`v^\top K v` is the mean curvature of the boundaries along v, positive where they
    bend towards the images, so that a step along the boundary leaves the region. Of a network of
    linear pieces second derivatives say nothing; they are differences of the slope over the
    distance that the vector itself goes,
    :math:`\nabla^2 F\, u \approx (\nabla F(z + hu) - \nabla F(z - hu)) / 2h`. The eigenvectors come
    from the span of a random vector under powers of K.

    Args:
        dimension: Dimension k of the subspace.
        draws: Random vectors of the subspace that are tried.
        steps: Powers of K, each with two forward and two backward passes an image.
        h: Distance of the differences, in l2; by default that of a vector of norm eps.

    References:
        Robustness of classifiers to universal perturbations: a geometric perspective
        (Moosavi-Dezfooli, Fawzi, Fawzi, Frossard and Soatto, 2018)

    Example:
        >>> images, labels = torch.rand(8, 4), torch.zeros(8, dtype=torch.int64)
        >>> network, rng = torch.nn.Linear(4, 3), Streams.of(0, [0])
        >>> found = UniversalCurvature(eps=0.5).fit(network, [(images, labels)], rng)
        >>> bool((found(network, images, labels).size <= 0.5).all())
        True
    """

    dimension: int = 3
    steps: int = 10
    h: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "steps", "h")

    def basis(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Tensor:
        z, slopes, goal = self.boundary(network, inputs, goal)
        q = steepest(rng.normal((prod(inputs.shape[1:]),), inputs), "l2")  # (1, C * H * W)
        spanned = bent = q[:0]
        while len(z) and len(q) and len(spanned) < min(self.steps, q.shape[1]):
            spanned = torch.cat([spanned, q])
            bent = torch.cat([bent, self.bend(network, z, slopes, goal, q)])
            q = _orthogonal(bent[-1:], spanned)
        return _top(spanned, bent)[: self.dimension]

    def bend(self, network: Network, z: Tensor, slopes: Tensor, goal: Goal, v: Tensor) -> Tensor:
        """``(1, C * H * W)`` the mean curvature operator of the boundaries, applied to a vector."""
        parts = torch.split(torch.arange(len(z), device=z.device), self.batch_size)
        bent = [self._bend(network, z[rows], slopes[rows], goal.take(rows), v) for rows in parts]
        return torch.cat(bent).sum(0, keepdim=True) / len(z)

    def _bend(self, network: Network, z: Tensor, slopes: Tensor, goal: Goal, v: Tensor) -> Tensor:
        """``(N, C * H * W)`` of each boundary by itself."""
        length: Tensor = slopes.norm(dim=1, keepdim=True)
        n = slopes / length
        h = self._distance(z[0])
        step = (h * _tangent(v.expand_as(n), n)).view_as(z)
        ahead, behind = (input_gradient(network, z + s * step, goal.margin).gradient for s in (1, -1))
        change = (ahead - behind).flatten(1) / (2 * h)
        return -_tangent(change, n) / length

    def _distance(self, image: Tensor) -> float:
        longest: float = norm(self.eps * steepest(torch.ones_like(image)[None], self.norm), "l2").item()
        return self.h or longest or 1.0


def _tangent(v: Tensor, n: Tensor) -> Tensor:
    """What of each row is orthogonal to the normal."""
    return v - (v * n).sum(1, keepdim=True) * n


def _orthogonal(q: Tensor, spanned: Tensor) -> Tensor:
    """``(1, D)`` the direction of what is orthogonal to all rows; none where that is but rounding."""
    left = q
    for _ in range(2):  # once is not enough, for rounding
        left = left - (left @ spanned.mT) @ spanned
    return steepest(left, "l2")[left.norm(dim=1) > _ROUNDING * q.norm(dim=1)]


def _top(spanned: Tensor, bent: Tensor) -> Tensor:
    """Eigenvectors of a symmetric operator within a span, those of the largest values first."""
    within = spanned @ bent.mT
    vectors: Tensor = torch.linalg.eigh((within + within.mT) / 2).eigenvectors
    return vectors.flip(1).mT @ spanned
