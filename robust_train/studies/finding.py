"""What a study found: curves and grids of figures, each with its n and its interval."""

from dataclasses import dataclass, field

from robust_train.metrics.estimate import Estimate


@dataclass(frozen=True)
class Curves:
    """Figures against one quantity, a series for each name.

    Args:
        title: What is drawn.
        x_label: The quantity, with its unit.
        y_label: The figure, with its unit.
        series: Points of each series, by its name: values of the quantity and the figures there.
        logarithmic: Whether the quantity is drawn on a logarithmic axis.

    Example:
        >>> points = [(1, Estimate(0.8, 0.7, 0.9, n=80)), (2, Estimate(0.5, 0.4, 0.6, n=80))]
        >>> curves = Curves("Robust accuracy", "eps", "share", {"pgd": points})
        >>> [(eps, estimate.value) for eps, estimate in curves.series["pgd"]]
        [(1, 0.8), (2, 0.5)]
    """

    title: str
    x_label: str
    y_label: str
    series: dict[str, list[tuple[float, Estimate]]]
    logarithmic: bool = False


@dataclass(frozen=True)
class Grid:
    """Figures against two quantities, or two sets of names.

    Args:
        title: What is drawn.
        row_label: What the rows are.
        column_label: What the columns are.
        rows: Values or names of the rows.
        columns: Values or names of the columns.
        values: A list of figures for each row.
        shares: Whether these are shares in [0, 1], or numbers between -1 and 1 such as cosines.

    Example:
        >>> cells = [[Estimate(0.8, 0.7, 0.9, n=80), Estimate(0.5, 0.4, 0.6, n=80)]]
        >>> grid = Grid("Accuracy", "corruption", "severity", rows=["fog"], columns=["1", "5"], values=cells)
        >>> grid.values[0][grid.columns.index("5")].value
        0.5
    """

    title: str
    row_label: str
    column_label: str
    rows: list[str]
    columns: list[str]
    values: list[list[Estimate]]
    shares: bool = True


@dataclass(frozen=True)
class Finding:
    """The result of one study.

    Args:
        summary: What it says, in a sentence or two.
        figures: What it draws.
        settings: Hyper-parameters and sample counts, as plain values.

    Example:
        >>> finding = Finding("No image is fooled.", figures=[], settings={"samples": 80})
        >>> finding.summary, finding.settings["samples"]
        ('No image is fooled.', 80)
    """

    summary: str
    figures: list[Curves | Grid]
    settings: dict[str, object] = field(default_factory=dict)
