"""The table of an evaluation on a terminal."""

from io import StringIO
from typing import TYPE_CHECKING

from robust_train.evaluation.results import Results
from robust_train.report import wording
from robust_train.report.rows import Row, rows

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

_HEADS = ("", "", "95 % interval", "fooled", "n", "passes", "time")


def table(results: Results) -> "Table":
    """Clean accuracy, then a row per regime, and the warnings below, a line each."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    warnings = "".join(f"\n! {wording.plain(w)}" for w in results.warnings)
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    made.caption, made.caption_justify = Text(warnings, style="yellow") if warnings else None, "left"
    for k, head in enumerate(_HEADS):
        made.add_column(head, justify="left" if k == 0 else "right", no_wrap=k > 0, overflow="fold")
    for row in rows(results):
        made.add_row(*_cells(row))
    return made


def render(results: Results, width: int = 80) -> str:
    """The table as plain text, for logs.

    Args:
        results: What to show.
        width: Columns that the text may take.
    """
    from rich.console import Console

    console = Console(file=StringIO(), width=width, color_system=None, legacy_windows=False)
    with console.capture() as captured:
        console.print(table(results))
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _cells(row: Row) -> "list[Text]":
    """Text, never strings: rich would read a name in brackets as markup."""
    from rich.text import Text

    what = row.what.replace(", ", "\n  ")
    return [
        Text.assemble((row.name, "bold"), (f"\n  {what}", "dim")),
        Text.assemble((row.value, "bold"), (f"\n{row.figure}", "dim")),
        Text.assemble(row.interval, (f"\n{row.note}" if row.note else "", "yellow")),
        *map(Text, (row.fooling, row.n, row.passes, row.seconds)),
    ]
