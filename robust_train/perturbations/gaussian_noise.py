"""Gaussian noise of a given size."""

from dataclasses import dataclass

from torch import Tensor

from robust_train.norms import norm, unsqueeze_like
from robust_train.perturbations.base import Budgeted, unmeasured
from robust_train.randomness import Streams
from robust_train.types import BallNorm, Bounds, Goal, Network, Perturbed


@dataclass(frozen=True, kw_only=True)
class GaussianNoise(Budgeted):
    r"""Gaussian noise, scaled to the budget: in l2, a uniform point of the sphere of radius eps.

    .. math:: r = \epsilon\, g / \|g\|_p, \qquad g \sim \mathcal{N}(0, I)

    It asks nothing of the network and so is the baseline of equal size for every other regime.
    The image space is unbounded by default; a box cuts the noise short.

    Example:
        >>> import torch
        >>> found = GaussianNoise(eps=2.0)(torch.nn.Linear(4, 3), torch.rand(2, 4), torch.tensor([0, 1]))
        >>> bool((found.size - 2).abs().max() < 1e-5)
        True
    """

    bounds: Bounds = None
    norm: BallNorm = "l2"
    eps: float = 1.0

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        g = rng.normal(tuple(inputs.shape[1:]), inputs)
        return Perturbed(inputs + self.eps * g / unsqueeze_like(norm(g, self.norm), g), unmeasured(inputs))
