"""What the commands share that write a folder of results: their options, the device and the folder."""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NoReturn

import torch

from robust_train.cli.folder import claimed, fresh
from robust_train.errors import UserError, did_you_mean


class OneLineParser(ArgumentParser):
    """A parser whose errors are one sentence."""

    def error(self, message: str) -> NoReturn:
        if message.startswith("unrecognized arguments: "):
            option = message.partition(": ")[2].split("=")[0].split()[0]
            raise UserError(
                f"There is no option {option}.{did_you_mean(option, self._option_string_actions)}", 2
            )
        raise UserError(f"{message[:1].upper()}{message[1:]}; see {self.prog} --help.", 2)


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
    add("--limit", type=int, metavar="N", help=f"{verb} so many images, drawn by the seed")
    add("--device", help="such as cpu or cuda:1; by default the GPU, if there is one")
    add("--out", metavar="DIR", help="folder to write; by default a new one under runs/")
    add("--allow-code", action="append", default=[], metavar="PACKAGE", help="package of yours to trust")


def device(options: Namespace) -> str:
    """The one that is asked for, else the GPU, if there is one."""
    return options.device or ("cuda" if torch.cuda.is_available() else "cpu")


def results_folder(options: Namespace, name: str) -> AbstractContextManager[Path]:
    """The folder that is asked for, else a new ``runs/<name>``, claimed."""
    return claimed(Path(options.out or fresh(name)))
