"""One look for all panels."""

import pytest

from robust_train.report.canvas import Canvas


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("entries", [1, 12, 40, 84])
def test_the_axes_are_as_high_however_long_the_legend_is(entries, columns):
    canvas = Canvas("title")
    for k in range(entries):
        (line,) = canvas.axes.plot([0, 1], [k, k])
        canvas.entry(line, f"regime {k}" + " with a long name" * (columns == 1))
    assert canvas.svg()
    height = canvas.axes.get_window_extent().height / canvas.figure.dpi
    assert 1.9 <= height <= 2.9  # inches
