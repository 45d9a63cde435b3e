import json
from dataclasses import replace

import pytest

from robust_train.report.files import read_json, write_json


@pytest.fixture
def written(results, tmp_path):
    write_json(results, tmp_path / "results.json")
    return tmp_path / "results.json"


def refuse(constant):
    raise AssertionError(f"{constant} is no JSON.")


def test_what_is_not_finite_is_valid_json(written):
    content = json.loads(written.read_text(), parse_constant=refuse)
    assert content["regimes"]["deepfool"]["settings"]["overshoot"] is None
    assert content["settings"]["tolerance"] == "inf"
    assert content["regimes"]["=1+1<script>alert(1)</script>"]["metrics"]["median_size"]["value"] == "inf"


def test_figures_come_back(results, written):
    content = read_json(written)
    assert content["clean_accuracy"] == {"value": 0.75, "low": 0.3, "high": 0.95, "n": 4}
    assert content["regimes"]["pgd"]["metrics"]["robust_accuracy"]["value"] == 0.25
    assert content["regimes"]["pgd"]["passes_per_sample"] == {"forward": 12.34, "backward": 10.06}
    assert content["warnings"] == list(results.warnings)


def test_only_the_timing_knows_seconds(results, written, tmp_path):
    slower = {name: replace(regime, seconds=99.0) for name, regime in results.regimes.items()}
    write_json(replace(results, regimes=slower), tmp_path / "slower.json")
    fast, slow = read_json(written), read_json(tmp_path / "slower.json")
    assert fast.pop("timing") != slow.pop("timing")
    assert fast == slow


@pytest.mark.parametrize(
    ("text", "reason"),
    [('{"schema": 99}', "schema 99"), ("[]", "schema None"), ("{", "Expecting property name")],
)
def test_other_files_are_refused(text, reason, tmp_path):
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=reason):
        read_json(path)
