"""Whether two networks differ, judged on the same samples."""

from torch import Tensor


def mcnemar(one: Tensor, other: Tensor) -> float:
    r"""Exact two-sided p-value of McNemar's test: do two paired shares differ?

    Only samples on which the two disagree speak. Were the shares equal, each of them would fall to
    either side with probability 1/2:

    .. math:: p = P(|B - m/2| \ge |b - m/2|), \qquad B \sim \mathrm{Binomial}(m, 1/2)

    Args:
        one: ``(N,)`` bool, such as which samples the first network gets right.
        other: ``(N,)`` bool, the same samples.

    References:
        Note on the sampling error of the difference between correlated proportions or percentages
        (McNemar, 1947)

    Example:
        >>> import torch
        >>> one = torch.tensor([True] * 6 + [False] * 4)
        >>> mcnemar(one, torch.zeros(10, dtype=torch.bool))  # six disagreements, all to one side: 2 / 2^6
        0.03125
    """
    from scipy.stats import binomtest

    gained, lost = int((one & ~other).sum()), int((~one & other).sum())
    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0
