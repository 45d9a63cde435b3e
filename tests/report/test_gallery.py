from dataclasses import replace

import torch

from robust_train.report.gallery import gallery
from robust_train.report.page import write_page

from .conftest import collect, outcome, regime


def test_a_row_per_image_and_a_cell_per_regime(results):
    shown = gallery(results)
    first, second = shown.exhibits
    assert (first.label, first.prediction, first.right) == ("cat", "cat", True)
    assert [cell.prediction for cell in first.cells] == ["cat", "<script>alert(1)</script>", "not found"]
    assert [cell.turned for cell in second.cells] == [True, False, False]
    assert second.cells[1].image == ""


def test_images_are_found_by_their_index_not_their_place():
    found = outcome([0, 1, 2], [0, 1, 2], [1, 2, 0], [0.1, 0.2, 0.3]).take(torch.tensor([2, 1, 0]))
    shown = gallery(collect(regime("pgd", found)))
    assert [(e.label, e.cells[0].prediction, e.cells[0].size) for e in shown.exhibits] == [
        ("0", "1", "0.100"),
        ("1", "2", "0.200"),
    ]


def test_what_is_not_finite_or_not_measured_says_so():
    shown = gallery(collect(regime("pgd", outcome([0], [0], [-1], [0.1]))))
    assert shown.exhibits[0].cells[0].prediction == "not finite"
    assert shown.exhibits[1].cells == [None]


def test_the_factor_is_that_of_the_regime():
    clean = torch.full((2, 3, 4, 4), 0.5)
    attack = regime("pgd", outcome([0, 0], [0, 0], [0, 0], [0.1] * 2), eps=0.1, examples=clean + 0.1)
    shown = gallery(collect(attack, examples=clean))
    assert shown.heads == [("pgd", "PGD linf 0.1", "5")]
    assert shown.pixelated
    assert not shown.clipped


def test_no_images_no_gallery(no_samples):
    assert gallery(no_samples) is None
    vectors = torch.zeros(2, 5)
    assert gallery(collect(examples=vectors)) is None


def test_what_comes_to_be_flagged_is_not_still_flagged(tmp_path):
    found = replace(outcome([0, 0], [0, 0], [2, 2], [0.1] * 2), reject=True)
    results = collect(regime("pgd", found))
    cell = gallery(results).exhibits[0].cells[0]
    assert (cell.prediction, cell.flagged, cell.turned) == ("flagged", True, False)
    write_page(results, tmp_path / "report.html", "x")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert ">flagged<" in page
    assert "still flagged" not in page
