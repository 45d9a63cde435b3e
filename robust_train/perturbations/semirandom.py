"""The smallest perturbation inside a subspace."""

from dataclasses import dataclass
from math import prod
from typing import Literal

import torch
from torch import Tensor

from robust_train.checks import check_positive
from robust_train.perturbations.base import Minimal, unmeasured
from robust_train.perturbations.deepfool import DeepFool
from robust_train.perturbations.linearised import check_candidates
from robust_train.randomness import Streams
from robust_train.transforms.dct import dct_vectors
from robust_train.transforms.subspace import Subspace, orthonormal
from robust_train.types import Bounds, Goal, Network, Perturbed


@dataclass(frozen=True, kw_only=True)
class Semirandom(Minimal):
    r"""Smallest l2 perturbation in a subspace of the image space, random for each sample by default.

    .. math:: \min_{r \in S} \|r\|_2 \quad \text{subject to} \quad f(x + r) \neq f(x),
        \qquad \dim S = m

    It is DeepFool on coordinates: with the columns of B an orthonormal basis of S, it walks on
    :math:`z \mapsto f(x + B z)`, whose gradients are :math:`B^\top w'_k`, so that each step is that of
    the paper, along the projection :math:`P_S w'_k = B B^\top w'_k`. One dimension makes it a
    random direction, all of them DeepFool itself. On a linear network it finds
    :math:`\min_k |f'_k| / \|P_S w'_k\|` exactly, if every class is a candidate.

    The image space is unbounded by default, as in the theory. A box cuts x + r short pixel by pixel,
    so that r leaves the subspace where it does. The random bases of a batch fill N D m numbers.

    Args:
        dimension: m, the dimension of the subspace.
        basis: ``"random"``: the span of m Gaussian vectors; ``"low_frequency"`` or ``"high_frequency"``: of m
            vectors of the discrete cosine transform; or the first m vectors of a given ``Subspace``.
        steps: Steps at the most, refinements not counted.
        overshoot: Share by which the perturbation is lengthened, so as to land behind the boundary.
        candidates: Classes that a step considers, the one to leave included, by descending logit.
            In few dimensions the nearest class is often not among the first.
        refinements: Steps after the first crossing.

    Raises:
        ValueError: The inputs have fewer dimensions than the subspace.

    References:
        Robustness of classifiers: from adversarial to random noise (Fawzi, Moosavi-Dezfooli and
        Frossard, 2016)

    Example:
        >>> network = torch.nn.Linear(8, 2)
        >>> inputs, labels = torch.rand(3, 8), torch.tensor([0, 1, 0])
        >>> line, plane = (Semirandom(dimension=m)(network, inputs, labels).size for m in (1, 2))
        >>> bool((plane <= line).all())
        True
    """

    bounds: Bounds = None
    norm: Literal["l2"] = "l2"
    dimension: int = 10
    basis: Literal["random", "low_frequency", "high_frequency"] | Subspace = "random"
    steps: int = 50
    overshoot: float = 0.02
    candidates: int = 10
    refinements: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "dimension", "steps")
        check_candidates(self)
        check_positive(self, "overshoot", "refinements", zero=True)
        if isinstance(self.basis, str) and self.basis not in ("random", "low_frequency", "high_frequency"):
            raise ValueError(
                "Semirandom: basis must be random, low_frequency, high_frequency or a Subspace, "
                f"not {self.basis!r}."
            )

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        images = _Images(inputs, self._basis(inputs, rng), self.bounds)
        walk = DeepFool(
            bounds=None,
            steps=self.steps,
            overshoot=self.overshoot,
            candidates=self.candidates,
            refinements=self.refinements,
        )
        found = walk.search(lambda z: network(images(z)), images.origin(), goal, rng)
        return Perturbed(images(found.inputs), unmeasured(inputs))

    def _basis(self, inputs: Tensor, rng: Streams) -> Tensor:
        """``(N, D, m)``, or ``(1, D, m)`` where all samples share it."""
        m, shape = self.dimension, tuple(inputs.shape[1:])
        most = prod(shape) if isinstance(self.basis, str) else len(self.basis.vectors)
        if m > most:
            raise ValueError(f"Semirandom: dimension must be at most {most} here, not {m}.")
        if self.basis == "random":
            # The first vectors are the same whatever m is: subspaces are nested.
            return orthonormal(rng.normal((m, prod(shape)), inputs).mT)
        if isinstance(self.basis, str):
            basis = dct_vectors(shape, m, high=self.basis == "high_frequency").flatten(1).T
        else:
            basis = self.basis.basis(m)
        return basis[None].to(inputs)


@dataclass(frozen=True, eq=False)
class _Images:
    """The images at coordinates of the subspaces through the inputs.

    As a search calls its network with some of the samples only, the last coordinate is the number
    of the sample. It has no gradient, so that no step changes it.
    """

    inputs: Tensor
    basis: Tensor
    bounds: Bounds

    def origin(self) -> Tensor:
        """``(N, m + 1)`` coordinates of the inputs."""
        z = self.inputs.new_zeros(len(self.inputs), self.basis.shape[2] + 1)
        z[:, -1] = torch.arange(len(z))
        return z

    def __call__(self, z: Tensor) -> Tensor:
        # Coordinates that are NaN give an image of NaNs, whichever its sample.
        rows = z[:, -1].nan_to_num(0).long()
        # Not copied where all samples take part, which stay in their order.
        basis = self.basis if len(self.basis) in (1, len(rows)) else self.basis[rows]
        r = basis @ z[:, :-1, None]
        x = self.inputs[rows] + r.view(-1, *self.inputs.shape[1:])
        return x if self.bounds is None else x.clamp(*self.bounds)
