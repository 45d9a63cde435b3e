"""The table of several recipes: means, spreads, and what is missing."""

from robust_train.report.tabulation import tabulate
from robust_train.report.wording import NOTHING


def run(clean=0.9, strongest=0.5, size=1.0, published=None, seconds=10.0):
    share = {"minimal": False, "metrics": {"robust_accuracy": {"value": strongest}}}
    regimes = {"strongest": share, "l2": {"minimal": True, "metrics": {"median_size": {"value": size}}}}
    if published is not None:
        regimes["published"] = {"minimal": False, "metrics": {"robust_accuracy": {"value": published}}}
    timing = {"training": seconds} if seconds else {}
    return {"clean_accuracy": {"value": clean}, "regimes": regimes, "timing": timing}


def rows(runs):
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in tabulate(runs).splitlines()]


def test_a_row_holds_the_means_and_standard_deviations_over_the_seeds():
    head, _, standard, other = rows({"standard": [run()], "other": [run(0.8), run(1.0)]})
    assert head == ["recipe", "clean, %", "strongest, %", "l2", "gap", "time"]
    assert standard == ["standard", "90.0", "50.0", "1.00", "", "1.0"]
    assert other == ["other", "90.0 ± 14", "50.0 ± 0", "1.00 ± 0", "", "1.0"]


def test_the_gap_is_what_the_published_attack_did_not_see():
    *_, row = rows({"broken": [run(strongest=0.1, published=0.95)]})
    assert row[-2] == "85.0"


def test_times_are_multiples_of_the_median_of_the_first():
    *_, row = rows({"a": [run(seconds=s) for s in (1, 2, 30)], "b": [run(seconds=s) for s in (4, 6, 50)]})
    assert row[-1] == "3.0"


def test_a_median_of_mostly_failures_is_no_number():
    *_, row = rows({"safe": [run(size=float("inf")), run(size=1.0)]})
    assert row[3] == "not reached"


def test_what_a_run_does_not_tell_is_left_open():
    *_, row = rows({"a": [run()], "b": [{**run(), "regimes": {}}]})
    assert row[2:5] == [NOTHING, NOTHING, ""]
