"""How far one prediction is from another."""

from torch import Tensor
from torch.nn.functional import kl_div, log_softmax

from robust_train.defenses.precision import widened


def divergence(p: Tensor, q: Tensor) -> Tensor:
    r"""``(N,)`` Kullback-Leibler divergences of softmaxes, from ``(N, K)`` logits of both.

    .. math:: \mathrm{KL}(p \,\|\, q) = \sum_k p_k (\log p_k - \log q_k)

    Example:
        >>> import torch
        >>> divergence(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 0.0]]))
        tensor([0.])
    """
    log_p, log_q = log_softmax(widened(p), 1), log_softmax(widened(q), 1)
    return kl_div(log_q, log_p, reduction="none", log_target=True).sum(1)
