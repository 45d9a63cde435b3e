"""Networks whose last logit means "flagged": how they are told from others, and seen without it."""

from typing import Any

from torch import Tensor

from robust_train.types import Goal, Network, decide


def rejects(network: Network) -> bool:
    """Whether the last logit of the network means "flagged".

    A network says so by its attribute ``rejects``; one without is asked for what it holds as
    ``network`` or ``module``, as wrappers do.

    Example:
        >>> import torch
        >>> rejects(torch.nn.Linear(2, 3))
        False
    """
    held: Any = network
    while held is not None and not hasattr(held, "rejects"):
        held = getattr(held, "network", getattr(held, "module", None))
    return bool(getattr(held, "rejects", False))


def unflagged(network: Network) -> Network:
    """The classes of a network alone: its view on images without what it flags.

    Example:
        >>> import torch
        >>> network = torch.nn.Linear(2, 3)
        >>> unflagged(network) is network
        True
    """
    if not rejects(network):
        return network

    def classes(x: Tensor) -> Tensor:
        return network(x)[:, :-1]

    return classes


def leaving(network: Network, logits: Tensor) -> Goal:
    """To leave the class that the network decides for, unflagged.

    That class is -1 where a logit is not finite: there is no label to leave, and nothing counts.

    Args:
        network: Whose logits they are.
        logits: ``(N, K)``.
    """
    reject = rejects(network)
    return Goal(decide(logits, reject), reject=reject)
