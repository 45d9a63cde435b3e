"""The options of ``evaluate``."""

from argparse import ArgumentTypeError, Namespace
from typing import Any

from robust_train.cli.command import OneLineParser, add_common_options, command_parser, count
from robust_train.recipe.reading import value

_SECTIONS = ("data", "network")
_EPILOG = """\
--data.FIELD and --network.FIELD set fields, such as --data.root DIR or --network.num_classes 10.

examples:
  robust-train evaluate checkpoints/digits-adversarial --save-inputs
  robust-train evaluate checkpoints/digits-adversarial --suite quick --minutes 2
  robust-train evaluate --network torchvision.models.resnet18 --weights FILE \\
      --data ImageFolder --data.root DIR --suite natural
"""


def parse_options(argv: list[str]) -> tuple[Namespace, dict[str, dict[str, Any]]]:
    """The options, and the fields of data and network that they set, by section.

    Raises:
        UserError: There is no such option, or a value is missing or of the wrong kind.
    """
    own: list[str] = []
    fields: dict[str, dict[str, Any]] = {section: {} for section in _SECTIONS}
    words = iter(argv)
    for word in words:
        option, given, text = word.partition("=")
        section, _, name = option.removeprefix("--").partition(".")
        if option.startswith("--") and section in _SECTIONS and name:
            fields[section][name] = value(text if given else next(words, ""))
        else:
            own.append(word)
    return _parser().parse_args(own), fields


def _parser() -> OneLineParser:
    description = "Measure how robust a network is, and write runs/<name>-evaluation."
    parser = command_parser("evaluate", description, _EPILOG)
    add = parser.add_argument
    add("checkpoint", nargs="?", help="folder that fit wrote: its recipe says what is measured, and how")
    add("--network", help="in place of a folder: a class or function, such as torchvision.models.resnet18")
    add("--weights", metavar="FILE", help="its weights: .safetensors, or a state_dict in .pt or .pth")
    add("--random-weights", action="store_true", help="measure random weights, and mean it")
    add(
        "--mean", help="of the normalisation before the network, such as 0.5,0.5,0.5; of torchvision, its own"
    )
    add("--std", help="of the same normalisation")
    add("--data", help="class of the data set; its test part is measured")
    add("--suite", help="recipe with a robustness section, or the name of one under recipes/evaluation")
    add("--minutes", type=minutes, metavar="N", help="measure as many images as take about so long")
    add("--seed", type=int, metavar="N", help="of all random draws, in place of the suite's")
    add("--draws", type=count, metavar="N", help="attack and judge a stochastic network on so many each")
    add(
        "--logits",
        type=value,
        metavar="KEY",
        help="key or position of the logits in what the network returns",
    )
    add("--save-inputs", action="store_true", help="keep the perturbed images, a .safetensors file a regime")
    add_common_options(parser, "measure")
    return parser


def minutes(text: str) -> float:
    """A time for an option."""
    number = float(text)
    if not number > 0:
        raise ArgumentTypeError(f"it must be positive, not {text}")
    return number
