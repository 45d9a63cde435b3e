"""How many images does a universal perturbation need?"""

from dataclasses import dataclass

from torch import Tensor

from robust_train.metrics.estimate import Estimate
from robust_train.norms import norm
from robust_train.perturbations.shared_vector import SharedVector
from robust_train.perturbations.universal_random import UniversalRandom
from robust_train.studies.base import Blocks, Study
from robust_train.studies.finding import Curves, Finding
from robust_train.studies.shared_vectors import Parted
from robust_train.types import Network


@dataclass(frozen=True, kw_only=True)
class UniversalRate(Study):
    r"""Fooling rate against the number of images that the vector was learnt from.

    .. math:: P_x(f(x + v_m) \neq f(x)), \qquad v_m \text{ learnt from } x_1, \dots, x_m

    on images that no vector is learnt from, beside a random vector of the same norm, drawn anew for
    each number. The images of a smaller number are among those of a larger one; a number beyond
    half of all images is cut to that.

    Args:
        perturbation: The universal perturbation that learns; its own number of images is not used.
        sizes: Numbers of images to learn from.

    References:
        Universal adversarial perturbations (Moosavi-Dezfooli et al., 2017)

    Example:
        >>> import torch
        >>> from robust_train.perturbations.universal_gradient import UniversalGradient
        >>> from robust_train.studies.run import study
        >>> data = [(torch.rand(4), i % 2) for i in range(8)]
        >>> asked = UniversalRate(perturbation=UniversalGradient(eps=0.5), sizes=[1, 4])
        >>> curves = study(torch.nn.Linear(4, 2), data, {"rate": asked}, progress=False)["rate"].figures[0]
        >>> [size for size, _ in curves.series["UniversalGradient"]]
        [1, 4]
    """

    perturbation: SharedVector
    sizes: list[int]

    def __post_init__(self) -> None:
        if not self.sizes or not all(size > 0 for size in self.sizes):
            raise ValueError(f"UniversalRate: sizes must be positive numbers of images, not {self.sizes}.")

    def __call__(self, network: Network, blocks: Blocks, seed: int) -> Finding:
        parted = Parted.of(blocks, max(self.sizes), seed)
        learnt: list[tuple[float, Estimate]] = []
        random: list[tuple[float, Estimate]] = []
        for size in sorted({min(size, len(parted.lessons)) for size in self.sizes}):
            v = parted.learnt(self.perturbation, network, size, 0)
            learnt.append((size, parted.rate(self.perturbation, network, v)))
            random.append((size, parted.rate(self.perturbation, network, self._random(v, parted, size))))
        series = {type(self.perturbation).__name__: learnt, "random, of equal norm": random}
        curves = Curves("Fooling rate", "images learnt from", "share fooled", series, logarithmic=True)
        settings: dict[str, object] = {"learnt from": len(parted.lessons), "judged": len(parted.judged)}
        return Finding(self._summary(learnt, random), [curves], settings)

    def _random(self, v: Tensor, parted: Parted, size: int) -> Tensor:
        """``(C, H, W)`` a random vector of the norm of this one."""
        eps = norm(v[None], self.perturbation.norm).item()
        baseline = UniversalRandom(norm=self.perturbation.norm, eps=eps)
        return baseline.vector(v[None], parted.rng.fold(size))[0]

    def _summary(self, learnt: list[tuple[float, Estimate]], random: list[tuple[float, Estimate]]) -> str:
        (size, found), (_, baseline) = learnt[-1], random[-1]
        return (
            f"Learnt from {size} images, one vector fools {found.value:.1%} of {found.n} others, "
            f"and a random one of equal norm {baseline.value:.1%}."
        )
