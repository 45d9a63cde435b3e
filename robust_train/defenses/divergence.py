"""How far one prediction is from another."""

from torch import Tensor
from torch.nn.functional import kl_div, log_softmax


def divergence(p: Tensor, q: Tensor) -> Tensor:
    r"""``(N,)`` Kullback-Leibler divergences of softmaxes, from ``(N, K)`` logits of both.

    .. math:: \mathrm{KL}(p \,\|\, q) = \sum_k p_k (\log p_k - \log q_k)

    Example:
        >>> import torch
        >>> divergence(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 0.0]]))
        tensor([0.])
    """
    return kl_div(log_softmax(q, 1), log_softmax(p, 1), reduction="none", log_target=True).sum(1)
