"""How networks whose last logit means "flagged" are told from others."""

from typing import Any

from torch import nn


def rejects(network: Any) -> bool:
    """Whether the last logit of the network means "flagged".

    A network says so by its attribute ``rejects``; one without is asked for what it holds as
    ``network`` or ``module``, as wrappers do.

    Raises:
        ValueError: None of these says so, but a module somewhere inside does.

    Example:
        >>> rejects(nn.Linear(2, 3))
        False
    """
    held = network
    while held is not None and not hasattr(held, "rejects"):
        held = getattr(held, "network", getattr(held, "module", None))
    if held is None and isinstance(network, nn.Module):
        _refuse_hidden(network)
    return bool(getattr(held, "rejects", False))


def _refuse_hidden(network: nn.Module) -> None:
    """Whether a flag inside comes out again as the last logit, only the network itself knows."""
    for name, module in network.named_modules():
        if getattr(module, "rejects", False):
            raise ValueError(
                f"{name!r} in the network flags inputs, and the network does not say whether its own last "
                "logit does: give it an attribute rejects, True or False."
            )
