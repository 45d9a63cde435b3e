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
        """``(N,)`` mean curvatures of the nearest boundary, seen from x, and the labels behind it."""
        with differentiable(), frozen(self.network):
            x = x.detach().clone()
            z, i, j = self._crossing(x)
            n, slope = self._normal(z, i, j)
            kappa = torch.zeros_like(slope)
            for v in Streams.of(self.seed, range(self.draws)).normal(tuple(x.shape[1:]), x):
                u = v - unsqueeze_like((v * n).flatten(1).sum(1), n) * n
                u = u / unsqueeze_like(norm(u, "l2"), u)
                kappa -= self._bend(z, u, i, j) / slope
        return kappa / self.draws, j

    def _crossing(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Where DeepFool crosses the boundary, and the labels before and behind."""
        search = DeepFool(steps=self.steps, refinements=0, candidates=3, bounds=None)
        with torch.no_grad():
            i = self.network(x).argmax(1)
            z = search(self.network, x, i).inputs
            rows = torch.arange(len(x), device=x.device)
            others = self.network(z).index_put((rows, i), torch.tensor(-torch.inf, dtype=x.dtype))
        return z, i, others.argmax(1)

    def _normal(self, z: Tensor, i: Tensor, j: Tensor) -> tuple[Tensor, Tensor]:
        g = self._gradient(z, i, j)
        slope = norm(g, "l2").clamp_min(1e-12)
        return g / unsqueeze_like(slope, g), slope

    def _bend(self, z: Tensor, u: Tensor, i: Tensor, j: Tensor) -> Tensor:
        """``(N,)`` second derivatives of F along u, by finite differences of its gradients."""
        h = self.h
        change = self._gradient(z + h * u, i, j) - self._gradient(z - h * u, i, j)
        return (u * change).flatten(1).sum(1) / (2 * h)

    def _gradient(self, z: Tensor, i: Tensor, j: Tensor) -> Tensor:
        def lead(logits: Tensor) -> Tensor:
            return (logits.gather(1, i[:, None]) - logits.gather(1, j[:, None])).squeeze(1)

        return input_gradient(self.network, z, lead).gradient
