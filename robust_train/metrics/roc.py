"""What a threshold on a score catches, and what it costs."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from robust_train.metrics.estimate import Estimate, Z, rate

_SHARES = (0, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, *(k / 10 for k in range(2, 11)))


def auc(clean: Tensor, attacked: Tensor) -> Estimate:
    r"""Area under the curve: how often an attacked image scores higher than a clean one.

    .. math:: A = P(s' > s) + \tfrac{1}{2} P(s' = s)

    with the interval of Hanley and McNeil, whose n is the smaller of both numbers of images; of scores that
    are wholly apart, with Wilson's interval of as many samples.

    Args:
        clean: ``(n,)`` scores.
        attacked: ``(m,)`` scores.

    References:
        The meaning and use of the area under a receiver operating characteristic (ROC) curve (Hanley and
        McNeil, 1982)

    Example:
        >>> auc(torch.tensor([0.0, 1.0]), torch.tensor([0.5, 2.0])).value
        0.75
    """
    n, m = len(clean), len(attacked)
    if not (n and m):
        return Estimate(math.nan, 0.0, 1.0, 0)
    ranked = clean.double().sort().values
    below, upto = (torch.searchsorted(ranked, attacked.double(), right=right) for right in (False, True))
    a = float((below + upto).double().mean()) / (2 * n)
    if a in (0.0, 1.0):  # where the variance below vanishes
        return rate(torch.full((min(n, m),), bool(a)))
    square, one, other = a * a, a / (2 - a), 2 * a * a / (1 + a)
    variance = a * (1 - a) + (m - 1) * (one - square) + (n - 1) * (other - square)
    half = Z * math.sqrt(max(0.0, variance) / (n * m))
    return Estimate(a, max(0.0, a - half), min(1.0, a + half), min(n, m))


def roc(clean: Tensor, attacked: Tensor, shares: Sequence[float] = _SHARES) -> list[tuple[float, Estimate]]:
    """Share of the attacked images that is caught where so many of the clean ones are flagged.

    Args:
        clean: ``(n,)`` scores; without any, no share is known.
        attacked: ``(m,)`` scores.
        shares: False-positive rates at the most, in [0, 1]; those that n images tell apart are given.

    Example:
        >>> [(x, y.value) for x, y in roc(torch.tensor([0.0, 1.0]), torch.tensor([0.5, 2.0]), [0, 0.5, 1])]
        [(0.0, 0.5), (0.5, 1.0), (1.0, 1.0)]
    """
    if not len(clean):
        return []
    ranked = torch.cat([clean.double().sort(descending=True).values, clean.new_tensor([-torch.inf]).double()])
    flagged = sorted({int(share * len(clean) + 1e-9) for share in shares})
    return [(k / len(clean), rate(attacked.double() > ranked[k])) for k in flagged]
