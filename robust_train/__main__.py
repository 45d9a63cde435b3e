"""The command line. Nothing heavy is imported before a command is known."""

import sys

_USAGE = r"""usage: robust-train COMMAND ...

Train robust image classifiers, and measure how robust any of them is.

commands:
  fit       train a recipe, measure the result and write runs/<data>-<defense>
  validate  measure a checkpoint of a recipe on its validation images
  test      measure a checkpoint of a recipe on its test images
  evaluate  measure a checkpoint folder, or a network that is not ours
  compare   measure several, and try what is made on each on all of them
  study     ask what no single perturbation answers, such as where on a canvas it fails
  table     train several recipes with several seeds, and put what they withstand into one table

options:
  --help     this text; robust-train COMMAND --help has the options of a command
  --version

examples:
  robust-train fit --config recipes/digits/adversarial.yaml
  robust-train fit --config recipes/digits/adversarial.yaml --config recipes/evaluation/quick.yaml
  robust-train fit --config recipes/digits/adversarial.yaml --robustness.regimes.pgd.eps=8/255
  robust-train fit --config recipes/digits/adversarial.yaml --from=checkpoints/digits-standard
  robust-train fit --config recipes/digits/adversarial.yaml --ckpt_path=runs/digits-adversarial/last.ckpt
  robust-train evaluate checkpoints/digits-adversarial --minutes 2
  robust-train evaluate --network torchvision.models.resnet18 --weights FILE \
      --data ImageFolder --data.root DIR
  robust-train compare checkpoints/digits-standard checkpoints/digits-adversarial
  robust-train table recipes/digits/standard.yaml recipes/digits/adversarial.yaml --seeds 3
"""

_TRAINING = ("fit", "validate", "test")
_COMMANDS = (*_TRAINING, "evaluate", "compare", "study", "table")


def main(argv: list[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: Its words; by default those of the process.

    Returns:
        The exit status: 0, 2 where the command or a recipe is wrong, 130 after an interrupt, else 1.
    """
    argv = sys.argv[1:] if argv is None else argv
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(_USAGE, end="")
        return 0 if argv else 2
    if argv[0] in ("-V", "--version"):
        from robust_train.version import version

        print(f"robust-train {version()}")
        return 0
    from robust_train.cli.failing import guarded

    return guarded(_run, argv)


def _run(argv: list[str]) -> None:
    command, *rest = argv
    if command in _TRAINING:
        from robust_train.cli.training import train

        train(command, rest)
    elif command == "evaluate":
        from robust_train.cli.evaluating import run_evaluation

        run_evaluation(rest)
    elif command == "compare":
        from robust_train.cli.comparing import run_comparison

        run_comparison(rest)
    elif command == "study":
        from robust_train.cli.studying import run_study

        run_study(rest)
    elif command == "table":
        from robust_train.cli.tabulating import run_table

        run_table(rest)
    else:
        from robust_train.errors import UsageError, did_you_mean

        hint = did_you_mean(command, _COMMANDS) or f" The first word is the command: {', '.join(_COMMANDS)}."
        raise UsageError(f"There is no command {command}.{hint}")


if __name__ == "__main__":
    sys.exit(main())
