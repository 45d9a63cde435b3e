"""One judge for what every implementation returns."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from robust_train.norms import norm
from robust_train.types import Norm, predict


@dataclass(frozen=True)
class Score:
    """How strong an attack was.

    Args:
        standing: Images that the network still gets right.
        outside: Images that leave the ball or the box, by a float64 check; they count all the same.
        size: Median norm of the perturbations, ``inf`` for images that still stand.
    """

    standing: int
    outside: int
    size: float


def score(network: nn.Module, x: Tensor, labels: Tensor, found: Tensor, p: Norm, eps: float) -> Score:
    """Judge perturbed images; an eps of infinity leaves the box alone to be checked."""
    with torch.no_grad():
        stands = predict(network(found)) == labels
    sizes = norm(found.double() - x.double(), p)
    left = (sizes > eps) | ((found < 0) | (found > 1)).flatten(1).any(1)
    median = sizes.masked_fill(stands, torch.inf).median()
    return Score(int(stands.sum()), int(left.sum()), median.item())
