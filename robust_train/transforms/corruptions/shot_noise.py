"""Noise of the photons themselves."""

import torch
from torch import Tensor

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.ladder import ladder

_FEW = 10.0
_COUNTS = 33  # that many events, when 10 are expected, are rarer than the resolution of a draw


def shot_noise(inputs: Tensor, severity: Tensor, rng: Streams) -> Tensor:
    r"""Counts photons: :math:`x \mapsto \mathrm{Poisson}(c x) / c`, at most c of them on average.

    Between levels 1 / c is interpolated: the variance of a pixel is x / c.
    """
    small = [[1 / 500], [1 / 250], [1 / 100], [1 / 75], [1 / 50]]
    large = [[1 / 60], [1 / 25], [1 / 12], [1 / 5], [1 / 3]]
    (photon,) = ladder(inputs, severity, [0.0], small, large)
    photon = photon.clamp_min(1e-12)
    u = rng.uniform(tuple(inputs.shape[1:]), inputs) + 2.0**-25  # the middle of its cell
    return photon * poisson_quantile(u.clamp_max(1 - 2.0**-24), inputs / photon)


def poisson_quantile(u: Tensor, mean: Tensor) -> Tensor:
    r"""The least k with :math:`P(K \le k) \ge u`, of a Poisson variable K of this mean.

    Probabilities are summed up to a mean of 10. Beyond, the quantile of the normal law is expanded in
    the root of the mean; the counts then have the right probabilities up to about 1e-4.

    References:
        Algorithm 955: approximation of the inverse Poisson cumulative distribution function (Giles, 2016)
    """
    few = mean.clamp_max(_FEW)
    term = torch.exp(-few)
    below, count = term.clone(), torch.zeros_like(few)
    for k in range(1, _COUNTS):
        count += u > below
        term.mul_(few).div_(k)
        below += term
    root, w = mean.clamp_min(_FEW).sqrt(), torch.special.ndtri(u)
    many = root * (root + w) + 1 / 3 + w**2 / 6
    many += (-w / 36 - w**3 / 72) / root + (-8 / 405 + 7 * w**2 / 810 + w**4 / 270) / root**2
    return torch.where(mean <= _FEW, count, many.floor())
