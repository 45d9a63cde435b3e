"""Do universal perturbations that are learnt in another order differ?"""

import math
from dataclasses import dataclass
from itertools import combinations

import torch
from torch.nn.functional import normalize

from robust_train.metrics.estimate import Estimate
from robust_train.perturbations.shared_vector import SharedVector
from robust_train.studies.base import Blocks, Study
from robust_train.studies.finding import Curves, Finding, Grid
from robust_train.studies.shared_vectors import Parted
from robust_train.types import Network


@dataclass(frozen=True, kw_only=True)
class UniversalDiversity(Study):
    r"""Cosines between the vectors that one algorithm learns from shuffles of the same images.

    .. math:: C_{jk} = \frac{\langle v_j, v_k \rangle}{\|v_j\|_2 \|v_k\|_2}

    The images to learn from are as many as the perturbation says, at most half of all; the share of
    the others whose predicted label a vector changes is its fooling rate. Cosines far from one at
    equal rates say that many vectors are universal.

    Args:
        perturbation: The universal perturbation that learns.
        shuffles: Number of shuffles, each of which gives a vector.

    References:
        Universal adversarial perturbations (Moosavi-Dezfooli et al., 2017)

    Example:
        >>> from robust_train.perturbations.universal_gradient import UniversalGradient
        >>> from robust_train.studies.run import study
        >>> data = [(torch.rand(4), i % 2) for i in range(8)]
        >>> asked = UniversalDiversity(perturbation=UniversalGradient(eps=0.5), shuffles=2)
        >>> found = study(torch.nn.Linear(4, 2), data, {"diversity": asked}, progress=False)["diversity"]
        >>> [figure.title for figure in found.figures]
        ['Fooling rate', 'Cosine']
    """

    perturbation: SharedVector
    shuffles: int = 5

    def __post_init__(self) -> None:
        if self.shuffles < 2:
            raise ValueError(f"UniversalDiversity: shuffles must be at least 2, not {self.shuffles}.")

    def __call__(self, network: Network, blocks: Blocks, seed: int) -> Finding:
        parted, asked = Parted.of(blocks, self.perturbation.images, seed), self.perturbation
        vectors = [parted.learnt(asked, network, asked.images, k) for k in range(self.shuffles)]
        rates = [parted.rate(asked, network, v) for v in vectors]
        unit = normalize(torch.stack(vectors).flatten(1).double(), dim=1)
        cosines, n = (unit @ unit.mT).tolist(), len(parted.lessons)
        names = [str(k + 1) for k in range(self.shuffles)]
        cells = [[Estimate(cosine, math.nan, math.nan, n) for cosine in row] for row in cosines]
        figures: list[Curves | Grid] = [
            Grid("Fooling rate", "", "shuffle", ["fooled"], names, [rates]),
            Grid("Cosine", "shuffle", "shuffle", names, names, cells, shares=False),
        ]
        settings: dict[str, object] = {
            "learnt from": n,
            "judged": len(parted.judged),
            "shuffles": self.shuffles,
        }
        return Finding(self._summary(cosines, rates), figures, settings)

    def _summary(self, cosines: list[list[float]], rates: list[Estimate]) -> str:
        found = [cosines[j][k] for j, k in combinations(range(self.shuffles), 2)]
        shares = [estimate.value for estimate in rates]
        return (
            f"{self.shuffles} shuffles give vectors with cosines from {min(found):.2f} to {max(found):.2f}, "
            f"which fool {min(shares):.1%} to {max(shares):.1%} of {rates[0].n} other images."
        )
