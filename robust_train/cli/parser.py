"""Lightning's parser, whose errors are one sentence."""

import re
from typing import Any, NoReturn

from pytorch_lightning.cli import LightningArgumentParser

from robust_train.cli.command import no_option
from robust_train.errors import UsageError

_KEY = re.compile(r'(?:Parser key|Key|key) "([^"]+)"')
_GIVEN = re.compile(r"(?:Given value|Got value): (.+)")
_EXPECTED = re.compile(r"Expected an? (?:<class '(\w+)'>|(\w+)\b(?! but| import))")
_INNER = re.compile(r"^ *- (\w+ must be .+\.)$", re.MULTILINE)  # what was said of a field already
_SAID = re.compile(r"^ *- ([A-Z]\w+: .+\.)$", re.MULTILINE)  # what a class of ours said of its fields
_NESTED = re.compile(r"NestedArg\(key='([^']+)'")
_REQUIRED = re.compile(r'Key "([^"]+)" is required|arguments are required: (.+)')


class Parser(LightningArgumentParser):
    """The second line of defence behind the checks of recipes: it sees what options make of them."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        raise UsageError(sentence(str(message), self._option_string_actions))


def sentence(message: str, options: Any) -> str:
    r"""What a message of many lines comes down to.

    Args:
        message: Of jsonargparse.
        options: The options that exist.

    Example:
        >>> sentence("unrecognized arguments: --trainer.max_epoch=3", ["--trainer.max_epochs"])
        'There is no option --trainer.max_epoch. Did you mean --trainer.max_epochs?'
        >>> sentence('Parser key "width":\n  Expected a <class \'int\'>. Got value: four', [])
        'width must be int, not four.'
    """
    if message.lower().startswith("unrecognized arguments: "):
        return no_option(message, options)
    if required := _REQUIRED.search(message):
        missing = re.sub(r"\b(?:fit|validate|test)\.", "", required[1] or required[2])
        return f"The recipe lacks {missing}: add --config FILE, such as recipes/digits/adversarial.yaml."
    message = message.removeprefix('Parser key "config": ')
    key, given, expected = _KEY.search(message), _GIVEN.search(message), _EXPECTED.findall(message)
    if key and (inner := _INNER.search(message)):
        return f"{key[1]}.{inner[1]}"
    if key and (nested := _NESTED.search(message)):
        return f"{key[1]} takes no {nested[1]} here: of a list, an option changes the last entry alone."
    if key and given and expected:
        return f"{key[1]} must be {' or '.join(a or b for a, b in expected)}, not {given[1]}."
    last = message.strip().splitlines()[-1].strip(" -")
    return f"{key[1]}: {last}" if key and key[1] not in last else last


def said(message: str) -> str | None:
    r"""What one of our classes said of its own fields, among what jsonargparse made of it.

    Example:
        >>> said("Does not validate:\n  - PGD: eps must be at least 0, not -1.\n  - Expected a list")
        'PGD: eps must be at least 0, not -1.'
    """
    found = _SAID.search(message)
    return found[1] if found else None
