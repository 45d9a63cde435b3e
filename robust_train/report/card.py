"""``README.md`` of a checkpoint: what it is, what was measured and how to repeat it."""

import re
import shlex
from pathlib import Path

from robust_train.evaluation.results import Results
from robust_train.report.atomic import write_text
from robust_train.report.rows import Row, rows
from robust_train.report.verdict import verdict

_FIGURES = {"accuracy": "accuracy", "robust": "robust accuracy", "median": "median size"}

_CARD = """\
# {name}

An image classifier trained and measured with robust_train. {verdict}

## Measured

| regime | what it is | figure | value | 95 % interval | n | passes a sample |
|---|---|---|---:|---:|---:|---:|
{table}
{warnings}
## Repeat it

Measure again, with the same numbers to come out:

    robust-train evaluate {folder}

Train again:

    {command}

## Files

- `model.safetensors`: the weights, which cannot run code
- `recipe.yaml`: everything that defines the training and the evaluation
- `results.json`: the numbers above, with their settings and costs

## Limits of the claim

- An attack finds failures, it does not prove that there are none: robust accuracy is an upper
  bound, and so are minimal sizes. Only the regimes in the table were tried.
- Sizes are in pixel units, with images in [0, 1]. The figures hold for images from the same
  source as those that were measured; on others nothing is known.
- The 95 % intervals (Wilson's for shares, order statistics for medians) tell how much another
  sample of images would differ, not another training run and not a better attack.

## Recipe

{fence}yaml
{recipe}
{fence}
"""


def write_card(results: Results, path: str | Path, name: str, recipe: str, command: str) -> None:
    """Write the model card.

    Args:
        results: What was measured.
        path: The file to write.
        name: Name of the checkpoint.
        recipe: Text of the recipe.
        command: Command that trains it again.

    Raises:
        OSError: The folder is missing or cannot be written.
    """
    table = "\n".join(map(_line, rows(results)))
    warnings = "".join(f"\n> Warning: {_escape(warning)}\n" for warning in results.warnings)
    ticks = max(map(len, re.findall("`+", recipe)), default=0)
    text = _CARD.format(
        name=_escape(name),
        folder=shlex.quote(str(Path(path).parent)),
        verdict=_escape(verdict(results)),
        table=table,
        warnings=warnings,
        command=" ".join(command.splitlines()),
        recipe=recipe.rstrip(),
        fence="`" * max(3, ticks + 1),
    )
    write_text(path, text)


def _line(row: Row) -> str:
    note = f" ({row.note})" if row.note else ""
    cells = (row.name, row.what, _FIGURES[row.figure] + note, row.value, row.interval, row.n, row.passes)
    return f"| {' | '.join(map(_escape, cells))} |"


def _escape(text: str) -> str:
    """Text that Markdown takes as it is, in a line or in a cell."""
    return re.sub(r"([\\`*_{}\[\]<>#|~&])", r"\\\1", " ".join(text.split()))
