"""Universal perturbations out of the directions that decision boundaries share."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robust_train.norms import steepest
from robust_train.perturbations.spanned_vector import SpannedVector
from robust_train.randomness import Streams
from robust_train.types import Goal, Network


@dataclass(frozen=True, kw_only=True)
class UniversalSingular(SpannedVector):
    r"""Go far along what the normals of the boundaries near many images have in common.

    .. math:: N = [n_1, \dots, n_m]^\top = U \Sigma V^\top, \qquad
        v \in \{\pm \epsilon\, \mathrm{steepest}(V_1)\} \cup
        \{\pm \epsilon\, \mathrm{steepest}(\textstyle\sum_{j \le k} g_j V_j)\}, \quad g \sim \mathcal{N}(0, I)

    The normal :math:`n_i` is the gradient of the margin, of unit length, where DeepFool crosses the
    boundary from image i; the authors take the direction of DeepFool's step, which is rarely
    orthogonal to the boundary of a deep network. They try random vectors of the span of the first
    k singular vectors; here the first one is tried too, both signs of each, and what fools the
    most images counts. In l2 the steepest direction is the vector itself.

    Args:
        dimension: Dimension k of the subspace.
        draws: Random vectors of the subspace that are tried.

    References:
        Universal adversarial perturbations (Moosavi-Dezfooli, Fawzi, Fawzi and Frossard, 2017)

    Example:
        >>> images, labels = torch.rand(8, 4), torch.zeros(8, dtype=torch.int64)
        >>> network, rng = torch.nn.Linear(4, 3), Streams.of(0, [0])
        >>> found = UniversalSingular(eps=0.5).fit(network, [(images, labels)], rng)
        >>> bool((found(network, images, labels).size <= 0.5).all())
        True
    """

    def basis(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Tensor:
        normals = self.normals(network, inputs, goal)
        basis: Tensor = torch.linalg.svd(normals, full_matrices=False).Vh[: self.dimension]
        return basis

    def normals(self, network: Network, inputs: Tensor, goal: Goal) -> Tensor:
        """``(M, C * H * W)`` unit normals of the boundaries, of those images from which one was found."""
        _, slopes, _ = self.boundary(network, inputs, goal)
        return steepest(slopes, "l2")
