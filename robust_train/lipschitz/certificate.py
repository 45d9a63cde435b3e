"""The ball in which a logit margin rules out every other label."""

import torch
from torch import Tensor


def certified_radius(logits: Tensor, differences: Tensor) -> Tensor:
    r"""``(N,)`` l2 radii around the images within which the predicted label cannot change.

    .. math:: R(x) = \min_{j \neq y} \frac{f_y(x) - f_j(x)}{L_{yj}}, \qquad y = \arg\max_j f_j(x)

    in float64. With one constant L for the network and :math:`L_{yj} = \sqrt 2 L` that is the margin over
    :math:`\sqrt 2 L`. Rows that are not finite have radius 0.

    Args:
        logits: ``(N, K)``.
        differences: ``(K, K)`` of ``difference_bounds``.

    References:
        Lipschitz-margin training: scalable certification of perturbation invariance for deep neural
        networks (Tsuzuku, Sato and Sugiyama, 2018)

    Example:
        >>> bounds = torch.full((3, 3), 2.0)
        >>> certified_radius(torch.tensor([[5.0, 1.0, 2.0]]), bounds)
        tensor([1.5000], dtype=torch.float64)
    """
    z = logits.double()
    y = z.argmax(1)
    margins = z.gather(1, y[:, None]) - z
    ratios = margins / differences.to(z)[y]  # 0 / 0 where two logits never differ: nothing is certain
    others = ratios.nan_to_num(nan=0.0, posinf=torch.inf).scatter(1, y[:, None], torch.inf)
    return others.amin(1).masked_fill(~z.isfinite().all(1), 0)
