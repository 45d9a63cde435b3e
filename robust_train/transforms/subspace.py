"""Linear subspaces of the image space."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Subspace:
    """The span of given images.

    Args:
        vectors: ``(M, ...)`` floating and linearly independent, of any lengths and angles.

    Example:
        >>> Subspace(torch.tensor([[2.0, 0.0, 0.0], [1.0, 1.0, 0.0]])).basis(2).abs()
        tensor([[1., 0.],
                [0., 1.],
                [0., 0.]])
    """

    vectors: Tensor

    def basis(self, dimension: int) -> Tensor:
        """``(D, dimension)`` orthonormal basis of the span of the first ``dimension`` vectors."""
        return orthonormal(self.vectors[:dimension].flatten(1).T)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Subspace) and torch.equal(self.vectors, other.vectors)

    def __hash__(self) -> int:
        return hash(tuple(self.vectors.shape))


def orthonormal(vectors: Tensor) -> Tensor:
    """``(..., D, m)`` columns with the same span as those of ``vectors``, ``(..., D, m)``."""
    basis: Tensor = torch.linalg.qr(vectors).Q
    return basis
