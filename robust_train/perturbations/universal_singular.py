"""Universal perturbations out of the directions that decision boundaries share."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robust_train.attacking.gradients import input_gradient
from robust_train.norms import steepest
from robust_train.perturbations.base import check_positive
from robust_train.perturbations.deepfool import DeepFool
from robust_train.perturbations.shared_vector import SharedVector
from robust_train.randomness import Streams
from robust_train.types import Goal, Network, Norm


@dataclass(frozen=True, kw_only=True)
class UniversalSingular(SharedVector):
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
        dimension: Of the subspace, k.
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

    norm: Norm = "l2"
    eps: float = 1.0
    dimension: int = 100
    draws: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "dimension")
        check_positive(self, "draws", zero=True)

    def learn(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Tensor:
        normals = self.normals(network, inputs, goal)
        if not len(normals):
            return torch.zeros_like(inputs[0])
        basis = torch.linalg.svd(normals, full_matrices=False).Vh[: self.dimension]
        weights = rng.normal((self.draws, len(basis)), inputs)[0]
        directions = torch.cat([basis[:1], weights @ basis]).view(-1, *inputs.shape[1:])
        tried = self.eps * steepest(torch.cat([directions, -directions]), self.norm)
        rates = [self.rate(network, inputs, goal, v) for v in tried]
        return tried[rates.index(max(rates))]

    def normals(self, network: Network, inputs: Tensor, goal: Goal) -> Tensor:
        """``(M, C * H * W)`` unit normals of the boundaries, of those images from which one was found."""
        parts = torch.split(torch.arange(len(inputs), device=inputs.device), self.batch_size)
        return torch.cat([self._normals(network, inputs[rows], goal.take(rows)) for rows in parts])

    def _normals(self, network: Network, x: Tensor, goal: Goal) -> Tensor:
        deepfool = DeepFool(bounds=self.bounds, refinements=0)
        y = deepfool.search(network, x, goal, Streams.of(0, range(len(x)))).inputs
        gradient = input_gradient(network, y, goal.margin).gradient.flatten(1)
        crossed = (y != x).flatten(1).any(1) & (gradient != 0).any(1)
        return steepest(gradient[crossed], "l2")
