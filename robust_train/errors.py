"""The one exception that is meant for the person at the keyboard, and its did-you-mean."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(ValueError):
    """A wrong use, told in one sentence that names the cure.

    Args:
        message: The sentence.
        status: Exit status of the command line: 2 where the command or a recipe is wrong.

    Example:
        >>> raise UserError("There is no recipe a.yaml.")
        Traceback (most recent call last):
        robust_train.errors.UserError: There is no recipe a.yaml.
    """

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


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
