"""Estimates that carry their sample count and their 95 % interval."""

import math
from dataclasses import dataclass

import torch  # noqa: F401 (the examples use it)
from torch import Tensor

Z = 1.959963984540054  # two-sided 95 % quantile of the standard normal


@dataclass(frozen=True)
class Estimate:
    """A figure, how many samples it rests on, and its 95 % interval.

    Args:
        value: The figure; ``inf`` for a median of which most samples are censored, NaN where
            it is not defined.
        low: Lower end of the interval.
        high: Upper end of the interval.
        n: Number of samples.

    Example:
        >>> figure = Estimate(value=0.75, low=0.3, high=0.95, n=4)
        >>> f"{figure.value:.0%}, between {figure.low:.0%} and {figure.high:.0%} (n = {figure.n})"
        '75%, between 30% and 95% (n = 4)'
    """

    value: float
    low: float
    high: float
    n: int


def rate(successes: Tensor) -> Estimate:
    r"""Share of true values with its Wilson interval.

    .. math:: \frac{p + z^2/2n \pm z \sqrt{p(1-p)/n + z^2/4n^2}}{1 + z^2/n}

    References:
        Probable inference, the law of succession, and statistical inference (Wilson, 1927)

    Example:
        >>> rate(torch.tensor([True, True, False, True]))
        Estimate(value=0.75, low=0.3006..., high=0.9544..., n=4)
    """
    n = len(successes)
    return _wilson(int(successes.sum()) / n, n) if n else Estimate(math.nan, 0.0, 1.0, 0)


def rate_over_draws(successes: Tensor) -> Estimate:
    r"""Share of true values in a ``(N, T)`` table of N samples, each of which is judged in the same T draws.

    Samples and draws both vary: Wilson's interval of N samples is widened, in quadrature, by the normal one
    of the T shares.

    Example:
        >>> rate_over_draws(torch.tensor([[True, True], [True, False]]))
        Estimate(value=0.75, low=0.0117..., high=1.0, n=2)
    """
    n, draws = successes.shape
    if not n:
        return Estimate(math.nan, 0.0, 1.0, 0)
    shares = successes.double().mean(0)
    center = _wilson(shares.mean().item(), n)
    half = Z * shares.std().item() / math.sqrt(draws) if draws > 1 else 0.0
    low, high = (math.hypot(end - center.value, half) for end in (center.low, center.high))
    return Estimate(center.value, max(0.0, center.value - low), min(1.0, center.value + high), n)


def _wilson(p: float, n: int) -> Estimate:
    center = p + Z**2 / (2 * n)
    width = Z * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    scale = 1 + Z**2 / n
    return Estimate(p, max(0.0, (center - width) / scale), min(1.0, (center + width) / scale), n)


def median(values: Tensor) -> Estimate:
    """Median with an order-statistic interval; ``inf`` values are censored, not dropped.

    The ends are the order statistics whose ranks a Binomial(n, 1/2) exceeds with 2.5 % each, in
    its normal approximation, so that no law is assumed of the values; they are infinite where n is
    less than 6, as no values of so few samples enclose the median with 95 %.

    Example:
        >>> median(torch.tensor([1.0, 2.0, float("inf")])).value
        2.0
    """
    n = len(values)
    if n == 0:
        return Estimate(math.nan, math.nan, math.nan, 0)
    ranked = values.double().sort().values
    middle = (ranked[(n - 1) // 2] + ranked[n // 2]).item() / 2
    rank = math.floor((n + 1 - Z * math.sqrt(n)) / 2)
    if rank < 1:
        return Estimate(middle, -math.inf, math.inf, n)
    return Estimate(middle, ranked[rank - 1].item(), ranked[n - rank].item(), n)


def mean(values: Tensor) -> Estimate:
    """Mean with a normal interval; refused (NaN) where any value is censored.

    Example:
        >>> mean(torch.tensor([1.0, float("inf")])).value
        nan
    """
    n = len(values)
    if n == 0 or not bool(values.isfinite().all()):
        return Estimate(math.nan, math.nan, math.nan, n)
    center = values.double().mean().item()
    half = Z * values.double().std().item() / math.sqrt(n) if n > 1 else math.inf
    return Estimate(center, center - half, center + half, n)
