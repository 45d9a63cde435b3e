import math

import pytest

from robust_train.report import wording


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00"),
        (0.8, "0.800"),
        (9.996, "10.0"),
        (99.96, "100"),
        (123.4, "123"),
        (12345.6, "12300"),
        (math.inf, "not reached"),
        (math.nan, "\N{EN DASH}"),
    ],
)
def test_sizes_have_three_significant_digits(value, text):
    assert wording.size(value) == text


@pytest.mark.parametrize(
    ("eps", "text"),
    [(8 / 255, "8/255"), (0.15, "0.15"), (0.2, "0.2"), (1.0, "1"), (0.0, "0"), (0.5 / 255, "0.001961")],
)
def test_budgets_are_255ths_only_where_they_are(eps, text):
    assert wording.budget(eps) == text


def test_classes_without_a_name_are_numbers():
    assert [wording.class_name(("a",), k) for k in (-1, 0, 5)] == ["not finite", "a", "5"]
