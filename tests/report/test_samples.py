import csv
import math

import pytest
import torch

from robust_train.report.samples import write_samples

from .conftest import collect, outcome, regime


def read(results, folder):
    write_samples(results, folder / "samples.csv")
    with open(folder / "samples.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_per_sample_and_regime_in_order(results, tmp_path):
    rows = read(results, tmp_path)
    assert [row["regime"] for row in rows[::4]] == ["pgd", "deepfool", "'=1+1<script>alert(1)</script>"]
    assert [int(row["index"]) for row in rows] == [10, 11, 12, 13] * 3


def test_cells_of_an_attack(results, tmp_path):
    rows = read(results, tmp_path)[:4]
    assert [row["perturbed_prediction"] for row in rows] == ["0", "2", "-1", "1"]
    assert [row["robust"] for row in rows] == ["1", "0", "0", "0"]
    assert [float(row["relative_size"]) for row in rows] == pytest.approx([0.015, 0.015, 0.015, 0.0])


def test_the_share_of_robust_cells_is_the_robust_accuracy(results, tmp_path):
    rows = read(results, tmp_path)[:4]
    share = sum(int(row["robust"]) for row in rows) / 4
    assert share == results.regimes["pgd"].metrics["robust_accuracy"].value


def test_a_search_that_fails_is_infinite_and_robust_if_right(results, tmp_path):
    rows = read(results, tmp_path)[4:8]
    assert math.isinf(float(rows[1]["size"]))
    assert [row["robust"] for row in rows] == ["0", "1", "0", "0"]


def test_rows_are_sorted_by_index(tmp_path):
    shuffled = outcome([0, 1], [0, 1], [0, 1], [0.1, 0.2]).take(torch.tensor([1, 0]))
    rows = read(collect(regime("pgd", shuffled, eps=0.2)), tmp_path)
    assert [(row["index"], row["size"]) for row in rows] == [("10", "0.1"), ("11", "0.2")]


@pytest.mark.parametrize("name", ["=1", "+1", "-1", "@x", "\tx"])
def test_no_name_is_a_formula(name, tmp_path):
    (row,) = read(collect(regime(name, outcome([0], [0], [0], [0.1]))), tmp_path)
    assert row["regime"] == f"'{name}"


def test_nothing_measured_leaves_the_head(no_regimes, no_samples, tmp_path):
    assert read(no_regimes, tmp_path) == read(no_samples, tmp_path) == []
