import math

import pytest
from matplotlib.figure import Figure

from robust_train.report.axis import eps_axis, logarithmic

from .conftest import outcome, regime


def search(size):
    return regime("x", outcome([0], [0], [1], [size]), minimal=True)


@pytest.mark.parametrize(("sizes", "scale"), [((1.0, 8.0), "linear"), ((1.0, 80.0), "log")])
def test_an_axis_is_logarithmic_where_medians_are_far_apart(sizes, scale):
    axes = Figure().subplots()
    low, high = eps_axis(axes, [search(size) for size in sizes])
    assert axes.get_xscale() == scale
    assert low < min(sizes) < max(sizes) < high


def test_an_axis_without_anything_on_it_has_an_end():
    attack = regime("x", outcome([0], [0], [0], [0.0]), eps=0.0)
    assert eps_axis(Figure().subplots(), [search(math.inf), attack]) == (0.0, 1.08)


@pytest.mark.parametrize("decades", [0.3, 1, 2, 3, 4, 6, 9])
def test_labels_of_a_logarithmic_axis_are_few_but_some(decades):
    figure = Figure()
    axes = figure.subplots()
    logarithmic(axes, 0.013, 0.013 * 10**decades)
    figure.draw_without_rendering()
    shown = [place for place in axes.get_xticks() if 0.013 <= place <= 0.013 * 10**decades]
    assert 1 <= len(shown) <= 9
