"""Universal perturbations out of a subspace."""

from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from robust_train.attacking.gradients import input_gradient
from robust_train.checks import check_positive
from robust_train.norms import steepest
from robust_train.perturbations.deepfool import DeepFool
from robust_train.perturbations.shared_vector import SharedVector
from robust_train.randomness import Streams
from robust_train.types import BallNorm, Goal, Network


@dataclass(frozen=True, kw_only=True)
class SpannedVector(SharedVector):
    r"""Go far along directions of a subspace that decision boundaries near many images share.

    .. math:: v \in \{\pm \epsilon\, \mathrm{steepest}(V_1)\} \cup
        \{\pm \epsilon\, \mathrm{steepest}(\textstyle\sum_{j \le k} g_j V_j)\}, \quad g \sim \mathcal{N}(0, I)

    Its first direction and random vectors of it are tried, both signs of each, and what fools the
    most images counts. In l2 the steepest direction is the vector itself.

    Args:
        dimension: Dimension k of the subspace.
        draws: Random vectors of the subspace that are tried.

    Example:
        >>> from robust_train.perturbations.universal_singular import UniversalSingular
        >>> images, labels = torch.rand(8, 4), torch.zeros(8, dtype=torch.int64)
        >>> network, rng = torch.nn.Linear(4, 3), Streams.of(0, [0])
        >>> learnt = UniversalSingular(eps=0.5, dimension=2).fit(network, [(images, labels)], rng)
        >>> learnt.vector.shape, round(learnt.vector.norm().item(), 2)
        (torch.Size([4]), 0.5)
    """

    norm: BallNorm = "l2"
    eps: float = 1.0
    dimension: int = 100
    draws: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "dimension")
        check_positive(self, "draws", zero=True)

    @abstractmethod
    def basis(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Tensor:
        """``(k, C * H * W)`` orthonormal, the most important direction first; none where there is none.

        Args:
            network: Images to logits.
            inputs: ``(N, C, H, W)`` the images.
            goal: To leave what is predicted for them.
            rng: One stream.
        """

    def learn(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Tensor:
        basis = self.basis(network, inputs, goal, rng.fold(1))
        if not len(basis):
            return torch.zeros_like(inputs[0])
        weights = rng.normal((self.draws, len(basis)), inputs)[0]
        directions = torch.cat([basis[:1], weights @ basis]).view(-1, *inputs.shape[1:])
        tried = self.eps * steepest(torch.cat([directions, -directions]), self.norm)
        rates = [self.rate(network, inputs, goal, v) for v in tried]
        return tried[rates.index(max(rates))]

    def boundary(self, network: Network, inputs: Tensor, goal: Goal) -> tuple[Tensor, Tensor, Goal]:
        """Where DeepFool crosses the boundary from each image, and the slope of the margin there.

        Returns:
            ``(M, C, H, W)``, ``(M, C * H * W)`` and their goal, of those images from which one was found.
        """
        parts = torch.split(torch.arange(len(inputs), device=inputs.device), self.batch_size)
        found = [self._crossed(network, inputs[rows], goal.take(rows)) for rows in parts]
        places, slopes = (torch.cat(column) for column in zip(*found, strict=True))
        crossed = (places != inputs).flatten(1).any(1) & (slopes != 0).any(1)
        return places[crossed], slopes[crossed], goal.take(crossed.nonzero().squeeze(1))

    def _crossed(self, network: Network, x: Tensor, goal: Goal) -> tuple[Tensor, Tensor]:
        deepfool = DeepFool(bounds=self.bounds, refinements=0)
        y = deepfool.search(network, x, goal, Streams.of(0, range(len(x)))).inputs
        return y, input_gradient(network, y, goal.margin).gradient.flatten(1)
