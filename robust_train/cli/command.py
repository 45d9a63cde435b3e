"""What the commands share that write a folder of results: their options, the device and the folder."""

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NoReturn

import torch

from robust_train.cli.folder import claimed, fresh
from robust_train.errors import UsageError, did_you_mean


class OneLineParser(ArgumentParser):
    """A parser whose errors are one sentence."""

    def error(self, message: str) -> NoReturn:
        if message.startswith("unrecognized arguments: "):
            raise UsageError(no_option(message, self._option_string_actions))
        raise UsageError(f"{message[:1].upper()}{message[1:]}; see {self.prog} --help.")


def no_option(message: str, options: Iterable[str]) -> str:
    """What to say of a word that no option takes: the option that may be meant, by its last part for one.

    Args:
        message: Of the parser, with the words behind a colon.
        options: Those that exist.

    Example:
        >>> no_option("unrecognized arguments: --epochs 3", ["--trainer.max_epochs"])
        'There is no option --epochs. Did you mean --trainer.max_epochs?'
        >>> no_option("unrecognized arguments: mine.yaml", ["--config"])
        'mine.yaml is one word too many here: a recipe is named by --config.'
    """
    word = message.partition(": ")[2].partition("=")[0].split()[0]
    if not word.startswith("-"):
        cure = "a recipe is named by --config" if "--config" in options else "see --help"
        return f"{word} is one word too many here: {cure}."
    whole = {"--" + option.rpartition(".")[2].lstrip("-"): option for option in options}
    near = did_you_mean(word, options)
    near = near or re.sub("--[^?]+", lambda last: whole[last[0]], did_you_mean(word, whole))
    return f"There is no option {word}.{near}"


def command_parser(name: str, description: str, epilog: str) -> OneLineParser:
    """The parser of ``robust-train <name>``, without options yet."""
    return OneLineParser(
        f"robust-train {name}",
        description=description,
        epilog=epilog,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def add_common_options(parser: OneLineParser, verb: str) -> None:
    """The options that end each list: ``verb`` says what is done with so many images."""
    add = parser.add_argument
    add("--limit", type=count, metavar="N", help=f"{verb} so many images, drawn by the seed")
    add("--device", help="such as cpu or cuda:1; by default the GPU, if there is one")
    add("--out", metavar="DIR", help="folder to write; by default a new one under runs/")
    add("--allow-code", action="append", default=[], metavar="PACKAGE", help="package of yours to trust")


def device(options: Namespace) -> str:
    """The one that is asked for, else the GPU, if there is one.

    Raises:
        UserError: It is not there.
    """
    name = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError):  # the latter of a torch without CUDA
        raise UsageError(f"There is no device {name} here: leave --device out, or say cpu.") from None
    return str(name)


def count(text: str) -> int:
    """A number of things for an option, at least one."""
    number = int(text)
    if number < 1:
        raise ArgumentTypeError(f"it must be at least 1, not {number}")
    return number


def results_folder(options: Namespace, name: str) -> AbstractContextManager[Path]:
    """The folder that is asked for, else a new ``runs/<name>``, claimed."""
    return claimed(Path(options.out or fresh(name)))
