"""A network that looks at the nearest boundary from where an image lies."""

import torch
from torch import Tensor, nn

from robust_train.attacking.gradients import input_gradient
from robust_train.attacking.modes import differentiable, frozen
from robust_train.defenses.detecting import Detecting
from robust_train.norms import norm, unsqueeze_like
from robust_train.perturbations.deepfool import DeepFool
from robust_train.randomness import Streams


class Curved(Detecting):
    """A network, and the curvature of its nearest boundary.

    Args:
        network: Images to ``(N, K)`` logits.
        h: Length of the finite differences, in pixel units.
        draws: Directions along the boundary.
        steps: Of DeepFool.
        seed: Of the directions.
    """

    slope: Tensor

    def __init__(self, network: nn.Module, *, h: float, draws: int, steps: int, seed: int) -> None:
        super().__init__(network, "CurvatureDetector")
        self.h, self.draws, self.steps, self.seed = h, draws, steps, seed
        self.register_buffer("slope", torch.zeros(()))

    def scored(self, x: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.network(x)
        return logits, self.slope * self.curvature(x)[0].to(self.slope)

    def recovered(self, x: Tensor) -> Tensor:
        """``(N,)`` the predicted labels, and where an image is flagged the label across the boundary."""
        with torch.no_grad():
            logits, score = self.scored(x)
        return torch.where(score > self.threshold, self.curvature(x)[1], logits.argmax(1))

    def curvature(self, x: Tensor) -> tuple[Tensor, Tensor]:
        r"""``(N,)`` mean curvatures of the nearest boundary, seen from x, and the labels behind it.

        Rectifiers keep the gradients constant piece by piece, so that their differences have no slope. That
        of the curvature is instead the slope of second differences of F, with z moving along the boundary
        as x does; it comes from the same gradients:

        .. math:: -\frac{1}{T} \sum_u \frac{\nabla F(z + h u) - 2 \nabla F(z) + \nabla F(z - h u)}
            {h^2\, \|\nabla F(z)\|_2}
        """
        moved, h = x - x.detach(), self.h  # zero, with a gradient
        with differentiable(), frozen(self.network):
            x = x.detach().clone()
            z, i, j = self._crossing(x)
            g = self._gradient(z, i, j)
            length = norm(g, "l2").clamp_min(1e-12)
            n = g / unsqueeze_like(length, g)
            kappa, slope = torch.zeros_like(length), torch.zeros_like(g)
            for v in Streams.of(self.seed, range(self.draws)).normal(tuple(x.shape[1:]), x):
                u = _along(v, n)
                u = u / unsqueeze_like(norm(u, "l2"), u)
                ahead, behind = (self._gradient(z + side * h * u, i, j) for side in (1, -1))
                kappa -= _dot(u, ahead - behind) / (2 * h) / length
                slope -= (ahead - 2 * g + behind) / unsqueeze_like(h**2 * length, g)
        return (kappa + _dot(_along(slope, n), moved)) / self.draws, j

    def _crossing(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Where DeepFool crosses the boundary, and the labels before and behind."""
        search = DeepFool(steps=self.steps, refinements=0, candidates=3, bounds=None)
        with torch.no_grad():
            i = self.network(x).argmax(1)
            z = search(self.network, x, i).inputs
            others = self.network(z).scatter(1, i[:, None], -torch.inf)
        return z, i, others.argmax(1)

    def _gradient(self, z: Tensor, i: Tensor, j: Tensor) -> Tensor:
        def lead(logits: Tensor) -> Tensor:
            return (logits.gather(1, i[:, None]) - logits.gather(1, j[:, None])).squeeze(1)

        return input_gradient(self.network, z, lead).gradient


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).flatten(1).sum(1)


def _along(v: Tensor, n: Tensor) -> Tensor:
    """The part of v along the boundary of unit normal n."""
    return v - unsqueeze_like(_dot(v, n), n) * n
