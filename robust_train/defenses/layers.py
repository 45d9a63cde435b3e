"""The layers that a constraint on weights acts on."""

from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from robust_train.lipschitz.layer import pads_well


def check_layers(name: str, network: nn.Module) -> None:
    """Refuse a network without dense and convolutional layers, or with some whose norm it cannot hold.

    Example:
        >>> check_layers("ParsevalRetraction", nn.ReLU())
        Traceback (most recent call last):
        ValueError: ParsevalRetraction: the network has no Linear and no Conv2d to act on: leave it out.
    """
    layers = {path: one for path, one in network.named_modules() if isinstance(one, nn.Linear | nn.Conv2d)}
    if not layers:
        raise ValueError(f"{name}: the network has no Linear and no Conv2d to act on: leave it out.")
    for path, one in layers.items():
        if is_parametrized(one, "weight"):
            raise ValueError(
                f"{name}: the weight of layer {path!r} is computed anew in each pass, so that a change of it "
                "is lost: remove its parametrization."
            )
        if isinstance(one, nn.Conv2d) and not pads_well(one):
            raise ValueError(
                f"{name}: layer {path!r} is padded by {one.padding_mode} with {one.padding}, by which it "
                "sees pixels twice and no norm of its kernel bounds it: pad it with zeros."
            )
