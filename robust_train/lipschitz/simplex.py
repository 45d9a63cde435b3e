"""Projection onto the simplex of convex weights."""

import torch
from torch import Tensor


def project_onto_simplex(weights: Tensor) -> Tensor:
    r"""Nearest convex weights, of one vector.

    .. math:: \arg\min_{p \ge 0, \; \sum_k p_k = 1} \|p - w\|_2 = (w - \tau)_+

    where the threshold leaves a sum of one; it is found among the sorted weights, exactly.

    Args:
        weights: ``(K,)``, at least one and finite.

    References:
        Efficient projections onto the l1-ball for learning in high dimensions (Duchi et al., 2008)

    Example:
        >>> project_onto_simplex(torch.tensor([2.0, 1.5, -1.0]))
        tensor([0.7500, 0.2500, 0.0000])
    """
    ranked = weights.sort(descending=True).values
    count = torch.arange(1, len(weights) + 1, device=weights.device)
    thresholds = (ranked.cumsum(0) - 1) / count
    tau = thresholds[(ranked > thresholds).sum() - 1]
    return (weights - tau).clamp_min(0)
