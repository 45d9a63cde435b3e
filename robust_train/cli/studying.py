"""``study``: questions about one checkpoint that are no perturbation of one image."""

from pathlib import Path

from robust_train import checkpoint
from robust_train.cli.command import (
    OneLineParser,
    add_common_options,
    command_parser,
    device,
    results_folder,
)
from robust_train.cli.quiet import quiet
from robust_train.cli.subject import checkpoint_data
from robust_train.cli.words import allow_code
from robust_train.errors import UsageError
from robust_train.recipe.building import build
from robust_train.recipe.checking import check
from robust_train.recipe.names import STUDY, Names
from robust_train.recipe.reading import read
from robust_train.report.findings import write_findings
from robust_train.studies.base import Study
from robust_train.studies.run import study

_EPILOG = """\
example:
  robust-train study checkpoints/digits-standard --config recipes/studies/nuisances.yaml
"""


def run_study(argv: list[str]) -> None:
    """Run ``study``.

    Args:
        argv: The words after it.

    Raises:
        UserError: What they name is missing, damaged or does not fit.
    """
    quiet()
    options = _parser().parse_args(argv)
    names = STUDY.allow(*allow_code(options.allow_code))
    studies = _studies(options.config, names)
    network, data = checkpoint.load(options.checkpoint, names), checkpoint_data(options.checkpoint, names)
    title = Path(options.checkpoint).resolve().name
    with results_folder(options, f"{title}-study") as folder:
        findings = study(network, data.test_set, studies, limit=options.limit, device=device(options))
        write_findings(findings, folder, title)
    for name, finding in findings.items():
        print(f"{name}: {finding.summary}")
    print(f"Wrote {folder}")


def _studies(path: str, names: Names) -> dict[str, Study]:
    """The ``studies`` section of a file.

    Raises:
        UserError: There is none, or something in it is wrong.
    """
    section = read(path).get("studies")
    if not isinstance(section, dict) or not section:
        raise UsageError(f"{path} has no studies section: name at least one study in it.")
    studies: dict[str, Study] = build(check(section, dict[str, Study], "studies", names), names)
    return studies


def _parser() -> OneLineParser:
    description = "Ask what no single perturbation answers, and write runs/<name>-study."
    parser = command_parser("study", description, _EPILOG)
    add = parser.add_argument
    add("checkpoint", metavar="FOLDER", help="what fit wrote: its test images are asked about")
    add("--config", required=True, metavar="FILE", help="recipe with a studies section")
    add_common_options(parser, "ask about")
    return parser
