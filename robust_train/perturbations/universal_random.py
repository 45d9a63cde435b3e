"""One random vector for all images: the baseline of universal perturbations."""

from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from robust_train.norms import norm
from robust_train.perturbations.base import Budgeted, unmeasured
from robust_train.randomness import Streams
from robust_train.types import BallNorm, Bounds, Goal, Network, Perturbed


@dataclass(frozen=True, kw_only=True)
class UniversalRandom(Budgeted):
    r"""The same random vector of norm eps added to every image.

    .. math:: T_v(x) = x + v, \qquad v = \epsilon\, g / \|g\|_p, \qquad g \sim \mathcal{N}(0, I)

    In linf the vector is a corner of the ball, :math:`\epsilon\, \mathrm{sign}(g)`, as learnt vectors
    end near one. Nothing is learnt: what a universal perturbation fools beyond this baseline is what
    its direction is worth. The seed decides the vector, which is one draw of many.

    Example:
        >>> import torch
        >>> found = UniversalRandom(eps=0.5)(torch.nn.Linear(4, 3), torch.rand(2, 4), torch.tensor([0, 1]))
        >>> found.size
        tensor([0.5000, 0.5000], dtype=torch.float64)
    """

    bounds: Bounds = None
    norm: BallNorm = "linf"
    eps: float = 10 / 255

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        return Perturbed(inputs + self.vector(inputs, rng), unmeasured(inputs))

    def vector(self, inputs: Tensor, rng: Streams) -> Tensor:
        """``(1, C, H, W)`` the vector of this seed, whichever images the streams belong to."""
        one = np.zeros(1, np.int64)
        g = replace(rng, index=one, restart=one).fold(1).normal(tuple(inputs.shape[1:]), inputs)
        return self.eps * (g.sign() if self.norm == "linf" else g / norm(g, self.norm))
