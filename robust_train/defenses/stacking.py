"""Which defenses stack, and in which order."""

from collections.abc import Sequence

from torch import nn

from robust_train.defenses.base import Defense

_ONCE = (("replaces_loss", "replace the loss"), ("maximises", "search for the worst inputs"))


def check_stack(network: nn.Module, defenses: Sequence[Defense]) -> None:
    """Refuse defenses that undo each other.

    Args:
        network: With all of them around it.
        defenses: In the order in which they act.

    Raises:
        ValueError: Two replace the loss or search for the worst inputs, one watches modules that the
            network does not have, or one moves the images whose gradient another before it follows.

    Example:
        >>> from robust_train.defenses import Augmentation, FreeAdversarialTraining
        >>> check_stack(nn.Linear(2, 2), [Augmentation(), FreeAdversarialTraining()])
    """
    for defense in defenses:
        if defense.watch and not any(isinstance(module, defense.watch) for module in network.modules()):
            kinds = ", ".join(kind.__name__ for kind in defense.watch)
            raise ValueError(f"{type(defense).__name__}: the network has no module among {kinds} to watch.")
    for flag, act in _ONCE:
        names = [type(defense).__name__ for defense in defenses if getattr(defense, flag)]
        if len(names) > 1:
            raise ValueError(f"{' and '.join(names)} each {act}: keep one of them.")
    for number, reader in enumerate(defenses):
        later = [type(defense).__name__ for defense in defenses[number:] if defense.augments]
        if reader.reads_input_gradient and later:
            raise ValueError(
                f"{type(reader).__name__} follows the gradient of images that {later[0]} moves: "
                f"list {later[0]} before it."
            )
