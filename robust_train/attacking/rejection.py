"""Networks whose last logit means "flagged": their view without it, and what counts as left or deceived."""

from torch import Tensor, nn

from robust_train.networks.rejecting import rejects
from robust_train.types import Goal, Network, decide, predict


def unflagged(network: Network) -> Network:
    """The classes of a network alone: its view on images without what it flags.

    Example:
        >>> import torch
        >>> network = torch.nn.Linear(2, 3)
        >>> unflagged(network) is network
        True
    """
    return _Unflagged(network) if rejects(network) else network


class _Unflagged(nn.Module):
    """A module as the network is, so that whoever freezes or casts that finds its weights."""

    rejects = False

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)[:, :-1]


def leaving(network: Network, logits: Tensor) -> Goal:
    """To leave the class that the network decides for, unflagged.

    That class is -1 where a logit is not finite: there is no label to leave, and nothing counts.

    Args:
        network: Whose logits they are.
        logits: ``(N, K)``.
    """
    reject = rejects(network)
    return Goal(decide(logits, reject), reject=reject)


def deceived(network: Network, logits: Tensor, labels: Tensor) -> Tensor:
    """``(N,)`` where the network's logits are wrong and pass unflagged."""
    classes = predict(logits)
    return (classes != labels) & (classes < logits.shape[1] - rejects(network))
