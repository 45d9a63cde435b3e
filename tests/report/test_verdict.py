import math

from robust_train.report.verdict import contrast, verdict

from .conftest import collect, outcome, regime


def search(name, *sizes):
    n = len(sizes)
    return regime(name, outcome([0] * n, [0] * n, [1] * n, list(sizes)), minimal=True, norm="l2")


def test_the_lowest_robust_accuracy_counts(results):
    assert verdict(results) == (
        "75.0 % of 4 clean images are classified right; 25.0 % stay right under pgd (PGD linf 8/255)."
    )


def test_minimal_regimes_speak_where_no_budget_does():
    assert "a turns half of them with a perturbation of l2 size 1.00" in verdict(
        collect(search("b", 2.0), search("a", 1.0))
    )
    assert "turned fewer than half" in verdict(collect(search("a", 1.0, math.inf, math.inf)))


def test_what_changes_pixels_at_will_speaks_only_where_nothing_else_does(results):
    wrong = outcome([0] * 4, [0] * 4, [1] * 4, [1.0] * 4)
    anything = regime("fooling", wrong, kind="FoolingImage", eps=1.0)
    assert "25.0 % stay right under pgd" in verdict(collect(results.regimes["pgd"], anything))
    assert "0.0 % stay right under fooling" in verdict(collect(anything, search("a", 1.0)))


def test_nothing_is_said_of_nothing(no_regimes, no_samples):
    assert "no perturbation was tried" in verdict(no_regimes)
    assert verdict(no_samples) == "No image was evaluated."


def test_contrast_is_the_ratio_of_medians():
    (sentence,) = contrast(collect(search("deepfool", 0.5), search("random", 2.0)))
    assert "random needs 4.0 times the size that deepfool needs" in sentence
    assert "\u221ad = 4.0" in sentence
    assert contrast(collect(search("deepfool", 0.5), search("random", math.inf))) == []
