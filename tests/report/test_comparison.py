"""The comparison of networks, as a page and as a file."""

import json
from dataclasses import replace

import pytest
import torch

from robust_train.report.comparison import page, verdict, warnings, write_comparison
from robust_train.studies.transfer import Transfer


@pytest.fixture
def found():
    """What was made on the first breaks half of the other's; noise breaks nothing."""
    broken = torch.tensor([[[True, True], [False, True]]] * 5 + [[[True, False], [False, True]]] * 5)
    return Transfer(
        names=("first <b>", "second"),
        index=torch.arange(10),
        right=torch.ones(10, 2, dtype=torch.bool),
        broken=broken,
        noise=torch.zeros(10, 2, 2, dtype=torch.bool),
        draws=(1, 1),
    )


def test_the_verdict_sets_what_travels_beside_noise(found):
    sentence = verdict({"pgd": found})
    assert "25.0 % also deceives another" in sentence
    assert sentence.endswith("of random noise of equal norm, 0.0 %.")


def test_pairs_without_common_images_do_not_count_and_none_says_so(found):
    lone = replace(
        found, names=("first",), draws=(1,), right=found.right[:, :1], broken=found.broken[:, :1, :1]
    )
    apart = replace(found, right=torch.eye(2, dtype=torch.bool).repeat(5, 1))
    for transfer in (lone, apart):
        assert verdict({"pgd": transfer}).startswith("No two networks are right on the same images")
    third = torch.cat([found.right, torch.zeros(10, 1, dtype=torch.bool)], 1)
    broken, noise = (torch.nn.functional.pad(part, (0, 1, 0, 1)) for part in (found.broken, found.noise))
    wider = Transfer((*found.names, "never right"), found.index, third, broken, noise)
    assert verdict({"pgd": wider}) == verdict({"pgd": found})


def test_the_page_escapes_names_and_shows_the_matrix(found):
    text = page({"pgd": found}, "one & two")
    assert "first <b>" not in text
    assert "first &lt;b&gt;" in text
    assert "<h1>one &amp; two</h1>" in text
    assert text.count("50.0 %") == 1  # first to second
    assert text.count("100.0 %") == 2  # the diagonal
    assert "p = 1" in text


def test_the_file_holds_what_the_page_shows(found, tmp_path):
    write_comparison({"pgd": found}, tmp_path, "title")
    content = json.loads((tmp_path / "comparison.json").read_text())["pgd"]
    assert content["transfer"][0][1]["value"] == 0.5
    assert content["noise_of_equal_norm"][0][1]["value"] == 0.0
    assert content["robust_accuracy"][0] == {
        "value": 0.0,
        "low": 0.0,
        "high": pytest.approx(0.2775, abs=1e-4),
        "n": 10,
    }
    assert content["mcnemar"] == [[1.0, 1.0], [1.0, 1.0]]
    assert (tmp_path / "comparison.html").read_text().startswith("<!doctype html>")


def test_warnings_and_draws_stand_beside_the_figures(found, tmp_path):
    assert warnings({"pgd": found}) == []
    assert "Read these before" not in page({"pgd": found}, "title")
    warned = {"pgd": replace(found, warnings=("first <b>: Beware.",), draws=(1, 8))}
    warned["fgsm"] = warned["pgd"]
    assert warnings(warned) == ["first <b>: Beware."]
    text = page(warned, "title")
    assert text.count("<li>first &lt;b&gt;: Beware.</li>") == 1
    assert (
        "second is attacked as the mean over 8 draws of its noise, and judged as that over 8 others." in text
    )
    write_comparison(warned, tmp_path, "title")
    content = json.loads((tmp_path / "comparison.json").read_text())["fgsm"]
    assert (content["warnings"], content["draws"]) == (["first <b>: Beware."], [1, 8])
