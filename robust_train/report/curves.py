"""The numbers behind the figures."""

import torch
from torch import Tensor

from robust_train.types import Outcome


def robust_curve(outcome: Outcome) -> tuple[Tensor, Tensor]:
    r"""Robust accuracy at every eps, from minimal sizes.

    .. math:: a(\epsilon) = \frac{1}{N} \#\{i : f(x_i) = y_i,\; \|r_i\| > \epsilon\}

    At any one eps it is what the metric ``RobustAccuracy`` gives there.

    Returns:
        ``(M,)`` the eps at which the curve steps, from 0 on, and ``(M,)`` its value from there to
        the next.

    Example:
        >>> clean, size = torch.eye(3), torch.tensor([0.5, 2.0, float("inf")])
        >>> found = Outcome(torch.arange(3), torch.tensor([0, 1, 0]), clean, clean.flip(1), size, size)
        >>> robust_curve(found)
        (tensor([0.0000, 0.5000]), tensor([0.6667, 0.3333]))
    """
    right = outcome.predictions == outcome.labels
    turned = outcome.deceived & outcome.size.isfinite()
    ranked = outcome.size.masked_fill(~turned, torch.inf)[right].sort().values
    steps = {0.0, *ranked[ranked.isfinite()].tolist()}
    eps = torch.tensor(sorted(steps), dtype=ranked.dtype)
    fallen = torch.searchsorted(ranked, eps, right=True)
    return eps, (len(ranked) - fallen) / len(right)


def relative_sizes(outcome: Outcome) -> Tensor:
    r"""The sizes that were found, as shares of the image: :math:`\|r\| / \|x\|_2`, ``(M,)``.

    Sizes of 0 (the image was on the boundary already) have no place on a logarithmic axis.
    """
    share = outcome.size / outcome.scale
    return share[share.isfinite() & (share > 0)]
