"""What a report tells of a detector, and that it tells nothing where there is none."""

import json
from dataclasses import replace

import pytest
import torch

from robust_train.metrics.detection import Detection
from robust_train.metrics.estimate import Estimate, rate
from robust_train.report.catches import catches
from robust_train.report.files import write_json
from robust_train.report.page import write_page
from robust_train.report.roc_curves import roc_curves
from robust_train.report.table import render

from .conftest import SCRIPT, collect, outcome, regime

CURVE = [(0.0, Estimate(0.2, 0.1, 0.4, 40)), (0.03, Estimate(0.25, 0.1, 0.4, 40))]


@pytest.fixture
def flagged():
    """3 of 100 clean images are flagged, and 10 of 40 that each regime turned."""
    found = outcome([0, 1], [0, 1], [1, 0], [0.1, 0.1])
    caught, whole = rate(torch.arange(40) < 10), [*CURVE, (1.0, Estimate(1.0, 0.9, 1.0, 40))]
    nothing = Detection(rate(torch.zeros(0)), rate(torch.zeros(0)), [])
    given = {
        "published": ("Static", Detection(caught, Estimate(0.9, 0.8, 0.95, 40), whole)),
        f"adaptive {SCRIPT}": ("PGD", Detection(caught, None, CURVE)),
        "harmless": ("Corrupted", nothing),
    }
    regimes = [
        replace(regime(name, found, eps=0.1, kind=kind), detection=detection)
        for name, (kind, detection) in given.items()
    ]
    return replace(collect(*regimes), false_positives=Estimate(0.03, 0.01, 0.085, 100))


def test_the_figure_has_a_curve_for_each_regime_that_turned_something(flagged):
    figure = roc_curves(flagged)
    assert "published (static), AUC 0.900" in figure
    assert "adaptive" in figure
    assert "harmless" not in figure
    assert "<script>" not in figure


@pytest.mark.parametrize("share", [torch.zeros(186), torch.ones(186)], ids=["nothing", "everything"])
def test_shares_at_the_ends_are_drawn(flagged, share):
    """Their interval ends where they are, but for rounding."""
    name = "published"
    regime = replace(flagged.regimes[name], detection=Detection(rate(share > 0), None, CURVE))
    assert roc_curves(replace(flagged, regimes={name: regime}))


def test_the_table_tells_shares_and_areas(flagged):
    clean, published, adaptive, harmless = catches(flagged)
    assert (clean.n, clean.flagged, clean.auc) == (100, "3.0 %", "\N{EN DASH}")
    assert (published.n, published.flagged, published.auc) == (40, "25.0 %", "0.900")
    assert (adaptive.flagged, adaptive.auc) == ("25.0 %", "\N{EN DASH}")
    assert (harmless.n, harmless.flagged, harmless.auc) == (0, "\N{EN DASH}", "\N{EN DASH}")


def test_the_page_and_the_printed_table_have_them(flagged, results, tmp_path):
    write_page(flagged, tmp_path / "report.html", "T")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    for words in ("What the detector flags", "flagged 3.0 %", "caught 25.0 %", "0.800 \u2013 0.950"):
        assert words in text
    assert "flagged 3.0 %" in render(flagged)
    assert max(map(len, render(flagged, width=80).splitlines())) <= 80
    write_page(results, tmp_path / "report.html", "T")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "detector" not in text
    assert "caught" not in text


def test_the_file_has_them_where_there_are_any(flagged, results, tmp_path):
    write_json(flagged, tmp_path / "results.json")
    content = json.loads((tmp_path / "results.json").read_text())
    assert content["false_positives"] == {"value": 0.03, "low": 0.01, "high": 0.085, "n": 100}
    detection = content["regimes"]["published"]["detection"]
    assert detection["auc"]["value"] == 0.9
    assert detection["curve"][1] == [0.03, {"value": 0.25, "low": 0.1, "high": 0.4, "n": 40}]
    write_json(results, tmp_path / "results.json")
    assert "false_positives" not in (tmp_path / "results.json").read_text()
    assert "detection" not in (tmp_path / "results.json").read_text()


def test_a_network_that_flags_nothing_has_no_figure(results):
    assert roc_curves(results) == ""
    assert catches(results) == []
