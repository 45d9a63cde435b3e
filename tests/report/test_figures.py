import math
from xml.etree import ElementTree

import matplotlib
import pytest
import torch

from robust_train.metrics.estimate import Estimate
from robust_train.report.figures import accuracy_curve, size_histogram, training_curves

from .conftest import collect, outcome, regime


def panels(svg):
    return list(ElementTree.fromstring(f"<all>{svg}</all>"))


def words(svg):
    return ["".join(node.itertext()) for node in panels(svg)[0].iter() if node.tag.endswith("text")]


def test_a_panel_per_norm_with_the_names_of_its_regimes(results):
    svg = accuracy_curve(results)
    linf, l2 = panels(svg)
    assert (linf.get("role"), l2.get("aria-label")) == ("img", "Robust accuracy against eps in l2")
    assert "pgd" in words(svg)
    assert "<script" not in svg


def test_figures_repeat_and_leave_matplotlib_alone(results):
    before = {key: matplotlib.rcParams[key] for key in ("svg.fonttype", "font.size", "axes.grid")}
    assert accuracy_curve(results) == accuracy_curve(results)
    assert {key: matplotlib.rcParams[key] for key in before} == before


@pytest.mark.parametrize("name", ["$a_{b$", "_hidden", "\u732b", "a" * 200, "a\x00b"])
def test_any_name_can_be_drawn(name):
    found = outcome([0, 1], [0, 1], [1, 0], [0.5, 1.0])
    drawn = collect(regime(name, found, minimal=True, norm="l2"))
    assert any(name[:5].replace("\x00", " ") in word for word in words(accuracy_curve(drawn)))
    assert size_histogram(drawn)


def test_histogram_is_drawn_for_what_was_found(results):
    svg = size_histogram(results)
    assert "deepfool, median 0.625" in words(svg)  # of 0.5, inf, 2.0 and 0.25, halved by the norm
    assert len(panels(svg)) == 1


def test_the_median_counts_failures():
    found = outcome([0] * 3, [0] * 3, [1] * 3, [0.5, math.inf, math.inf])
    drawn = collect(regime("random", found, minimal=True, norm="l2"))
    assert "random, median not reached" in words(size_histogram(drawn))


def test_training_has_a_panel_of_losses_and_one_of_accuracies():
    rows = [{"epoch": str(k), "train/loss": str(1 / (k + 1)), "val/accuracy": "0.5"} for k in range(3)]
    assert len(panels(training_curves(rows))) == 2
    assert len(panels(training_curves(rows[:1]))) == 2
    assert training_curves([]) == training_curves([{"epoch": "0", "lr": "0.1"}]) == ""


def test_nothing_to_draw_is_nothing(no_regimes, no_samples):
    for draw in (accuracy_curve, size_histogram):
        assert draw(no_regimes) == draw(no_samples) == ""
    failed = regime("x", outcome([0], [0], [0], [math.inf]), minimal=True, norm="l2")
    assert size_histogram(collect(failed)) == ""
    assert accuracy_curve(collect(failed))  # all of it stands


def test_a_figure_that_is_not_defined_is_left_out():
    found = regime("pgd", outcome([0], [0], [1], [0.1]), eps=0.1)
    found.metrics["robust_accuracy"] = Estimate(math.nan, 0.0, 1.0, 0)
    assert accuracy_curve(collect(found)) == ""


def test_results_may_be_in_any_precision():
    found = outcome([0, 0], [0, 0], [1, 1], [0.5, 1.0])
    found = type(found)(**{**vars(found), "size": found.size.float(), "scale": torch.ones(2)})
    assert size_histogram(collect(regime("x", found, minimal=True)))
