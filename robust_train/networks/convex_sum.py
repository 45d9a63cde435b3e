"""A weighted sum whose weights are learnt."""

import torch
from torch import Tensor, nn


class ConvexSum(nn.Module):
    r"""Add up tensors with weights of their own, equal ones at first.

    .. math:: (h_1, \dots, h_K) \mapsto \sum_k \alpha_k h_k

    ``ParsevalRetraction`` keeps the weights non-negative and their sum one, so that the sum stretches
    no more than the most stretching of what it adds; without it they are learnt freely.

    Args:
        terms: Number of tensors, K.

    References:
        Parseval networks: improving robustness to adversarial examples (Cisse et al., 2017)

    Example:
        >>> ConvexSum(2)(torch.zeros(1, 3), torch.ones(1, 3)).tolist()
        [[0.5, 0.5, 0.5]]
    """

    def __init__(self, terms: int = 2) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.full((terms,), 1 / terms))

    def forward(self, *tensors: Tensor) -> Tensor:
        return torch.stack([a * h for a, h in zip(self.alpha, tensors, strict=True)]).sum(0)
