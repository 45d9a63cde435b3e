"""Noise that is uniform in a ball."""

from dataclasses import dataclass

from torch import Tensor

from robust_train.norms import uniform_in_ball
from robust_train.perturbations.base import Budgeted, unmeasured
from robust_train.randomness import Streams
from robust_train.types import Bounds, Goal, Network, Perturbed


@dataclass(frozen=True, kw_only=True)
class UniformNoise(Budgeted):
    r"""Noise that is uniform in the lp ball: in linf, independent pixels in :math:`[-\epsilon, \epsilon]`.

    .. math:: r \sim \mathcal{U}\{r : \|r\|_p \le \epsilon\}

    It asks nothing of the network. The image space is unbounded by default; a box cuts the noise
    short. In many dimensions nearly all of a ball is near its surface, so that the l2 form is
    all but that of ``GaussianNoise``.

    Example:
        >>> import torch
        >>> noise = UniformNoise(eps=0.5)
        >>> found = noise(torch.nn.Linear(4, 3), torch.rand(2, 4), torch.tensor([0, 1]))
        >>> bool((found.size <= 0.5).all())
        True
    """

    bounds: Bounds = None

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        return Perturbed(inputs + self.eps * uniform_in_ball(rng, inputs, self.norm), unmeasured(inputs))
