"""What studies found, as a page and as a file."""

import json
import math

import pytest

from robust_train.metrics.estimate import Estimate
from robust_train.report.findings import page, write_findings
from robust_train.studies.finding import Curves, Finding, Grid

HALF = Estimate(0.5, 0.4, 0.6, 96)
NOTHING = Estimate(math.nan, math.nan, math.nan, 0)


@pytest.fixture
def findings():
    grid = Grid("Accuracy", "down <b>", "right", ["0", "1"], ["0", "1"], [[HALF, HALF], [HALF, NOTHING]])
    curves = Curves("Rate", "images", "rate", {"one": [(1, HALF), (2, HALF)], "bare": [(1, NOTHING)]})
    return {"map": Finding("It is 50% everywhere.", [grid]), "rate": Finding("Flat.", [curves], {"n": 2})}


def test_the_page_has_every_study_and_escapes_names(findings):
    text = page(findings, "digits & co")
    assert "<h1>digits &amp; co</h1>" in text
    assert "down <b>" not in text
    assert text.count('title="n = 96">50.0 %') == 3
    assert 'title="n = 0">\N{EN DASH}' in text
    assert text.count("<svg") == 1
    assert "Flat." in text


def test_numbers_are_no_percentages_and_one_row_has_room_for_its_intervals():
    minus = Estimate(-0.5, math.nan, math.nan, 7)
    cosines = Grid("Cosine", "", "shuffle", ["1", "2"], ["1"], [[minus], [HALF]], shares=False)
    text = page({"both": Finding("", [Grid("Rate", "", "", ["all"], ["1"], [[HALF]]), cosines])}, "title")
    assert '<td class="minus" style="--share:32%" title="n = 7">\N{MINUS SIGN}0.50</td>' in text
    assert text.count("<small>40.0 \N{EN DASH} 60.0</small>") == 1
    assert "<th>shuffle\N{NO-BREAK SPACE}\N{RIGHTWARDS ARROW}</th>" in text
    assert "<caption>Cosine</caption>" in text


def test_the_file_is_valid_json(findings, tmp_path):
    write_findings(findings, tmp_path, "title")
    content = json.loads((tmp_path / "studies.json").read_text())
    assert content["map"]["figures"][0]["values"][0][0] == {"value": 0.5, "low": 0.4, "high": 0.6, "n": 96}
    assert content["map"]["figures"][0]["values"][1][1]["value"] is None
    assert content["rate"]["settings"] == {"n": 2}
    assert (tmp_path / "studies.html").is_file()
