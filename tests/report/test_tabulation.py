"""The table of several recipes: means, spreads, and what is missing."""

import pytest

from robust_train.report.tabulation import tabulate
from robust_train.report.wording import NOTHING


def run(clean=0.9, strongest=0.5, size=1.0, published=None, seconds=10.0, n=450):
    size = {"minimal": True, "norm": "l2", "eps": None, "metrics": {"median_size": {"value": size}}}
    regimes = {"strongest": budgeted(strongest), "l2": size}
    if published is not None:
        regimes["published"] = published if isinstance(published, dict) else budgeted(published)
    timing = {"training": seconds} if seconds else {}
    return {"clean_accuracy": {"value": clean, "n": n}, "regimes": regimes, "timing": timing}


def budgeted(value, norm="linf", eps=0.1):
    return {"minimal": False, "norm": norm, "eps": eps, "metrics": {"robust_accuracy": {"value": value}}}


def rows(runs, seeds=1):
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in tabulate(runs, seeds).splitlines()]


def test_a_row_holds_the_means_and_standard_deviations_over_the_seeds():
    head, _, standard, other = rows({"standard": [run()], "other": [run(0.8), run(1.0)]})
    assert head == ["recipe", "clean, %", "strongest, %", "l2", "gap", "time"]
    assert standard == ["standard", "90.0", "50.0", "1.00", "", "1.0"]
    assert other == ["other", "90.0 ± 14", "50.0 ± 0", "1.00 ± 0", "", "1.0"]


def test_the_gap_is_what_the_published_attack_did_not_see():
    *_, row = rows({"broken": [run(strongest=0.1, published=0.95)]})
    assert row[-2] == "85.0"


@pytest.mark.parametrize(
    "published",
    [
        run()["regimes"]["l2"],
        budgeted(0.95, norm="l2"),
        budgeted(0.95, eps=0.2),
        {**budgeted(0.95), "norm": None, "eps": None},
    ],
    ids=["size", "norm", "eps", "none"],
)
def test_there_is_no_gap_between_answers_to_two_questions(published):
    *_, row = rows({"other": [run(strongest=0.1, published=published)]})
    assert row[-2] == ""


def test_a_row_of_fewer_seeds_or_other_images_says_so():
    runs = {"two": [run(), run()], "one": [run()], "few": [run(n=200), run()], "both": [run(n=200)]}
    _, _, *found = rows(runs, seeds=2)
    assert [name for name, *_ in found] == [
        "two", "one (1 of 2 seeds)", "few (200 images)", "both (1 of 2 seeds, 200 images)"
    ]  # fmt: skip


def test_times_are_multiples_of_the_median_of_the_first():
    *_, row = rows({"a": [run(seconds=s) for s in (1, 2, 30)], "b": [run(seconds=s) for s in (4, 6, 50)]})
    assert row[-1] == "3.0"


def test_a_median_of_mostly_failures_is_no_number():
    *_, row = rows({"safe": [run(size=float("inf")), run(size=1.0)]})
    assert row[3] == "not reached"


def test_what_a_run_does_not_tell_is_left_open():
    *_, row = rows({"a": [run()], "b": [{**run(), "regimes": {}}]})
    assert row[2:5] == [NOTHING, NOTHING, ""]
