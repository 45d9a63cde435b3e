"""The exceptions that are meant for the person at the keyboard, and their did-you-mean."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar


class UserError(ValueError):
    """What went wrong and can be cured, told in one sentence that names the cure.

    Example:
        >>> raise UserError("There is no recipe a.yaml.")
        Traceback (most recent call last):
        robust_train.errors.UserError: There is no recipe a.yaml.
    """

    status: ClassVar[int] = 1
    """Exit status of the command line."""


class UsageError(UserError):
    """The command or a recipe itself is wrong."""

    status = 2


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """The question to append to a sentence about an unknown name; empty where nothing is near.

    Example:
        >>> did_you_mean("PGDTrainin", ["PGDTraining", "FGSM"])
        ' Did you mean PGDTraining?'
        >>> did_you_mean("spam", ["PGDTraining", "FGSM"])
        ''
    """
    spelt = {name.lower(): name for name in known}
    near = get_close_matches(str(word).lower(), spelt, n=1)
    return f" Did you mean {spelt[near[0]]}?" if near else ""
