"""Logistic regression on a few features."""

import torch
from torch import Tensor

_STEPS, _RIDGE = 30, 1e-3  # of Newton's method, and what keeps separable classes from running away


def logistic(features: Tensor, labels: Tensor) -> Tensor:
    r"""``(D + 1,)`` weights of the features and the constant, by Newton's method in double precision.

    .. math:: \min_{w, b} \frac{1}{n} \sum_i \log(1 + e^{-(2 y_i - 1)(w^\top x_i + b)}) +
        \tfrac{\lambda}{2} \|(w, b)\|_2^2

    Args:
        features: ``(n, D)``, of about unit scale.
        labels: ``(n,)`` 0 or 1.

    Example:
        >>> x = torch.tensor([[-1.0], [1.0]])
        >>> bool(logistic(x, torch.tensor([0, 1]))[0] > 3)
        True
    """
    x = torch.cat([features, torch.ones_like(features[:, :1])], 1).double()
    y, w = labels.to(x), x.new_zeros(x.shape[1])
    ridge = _RIDGE * torch.eye(len(w)).to(x)
    for _ in range(_STEPS):
        p = (x @ w).sigmoid()
        gradient = x.T @ (p - y) / len(x) + ridge @ w
        hessian = (x * (p * (1 - p))[:, None]).T @ x / len(x) + ridge
        w = w - torch.linalg.solve(hessian, gradient)
    return w
