import json

import pytest

from robust_train.cli.repeated import compare


def content(accuracy=0.9, robust=0.5, n=10, eps=0.1, **settings):
    estimate = {"low": 0.0, "high": 1.0, "n": n}
    metrics = {"robust_accuracy": {"value": robust, **estimate}}
    regime = {"settings": {"eps": eps}, "metrics": metrics}
    return {
        "schema": 1,
        "clean_accuracy": {"value": accuracy, **estimate},
        "regimes": {"pgd": regime},
        "settings": {"seed": 0, "block": 128, **settings},
    }


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (content(), "The same numbers"),
        (content(robust=0.5 + 1e-9), "The same numbers"),
        (content(robust=0.4), "Other numbers than in a.json: pgd robust_accuracy 0.4 here, 0.5 there."),
        (content(accuracy=0.8), "clean accuracy 0.8 here"),
        (content(n=9), "other questions (regimes or number of samples), so"),
        (content(eps=0.2), "other questions (regimes or number of samples), so"),
        (content(robust=0.4, seed=3, draws=2), "other questions (seed, draws), so"),
        (content(robust=0.4, subset="9 of 10", block=64), "other questions (subset, block), so"),
        (content(robust=0.4, precision="autocast"), "other questions (precision), so"),
        (content(versions={"torch": "0"}, device="cuda"), "The same numbers"),
    ],
)
def test_differences_are_named(place, other, words):
    (place / "a.json").write_text(json.dumps(content()))
    (place / "b.json").write_text(json.dumps(other))
    (place / "a.json").rename("a.json")
    from pathlib import Path

    assert words in compare(Path("a.json"), Path("b.json"))


def test_what_an_older_file_does_not_tell_of_a_detector_is_not_compared(place):
    newer = content() | {"false_positives": {"value": 0.05, "low": 0.0, "high": 1.0, "n": 10}}
    newer["regimes"]["pgd"]["detection"] = {"caught": newer["false_positives"], "auc": None, "curve": []}
    (place / "a.json").write_text(json.dumps(content()))
    (place / "b.json").write_text(json.dumps(newer))
    assert compare(place / "a.json", place / "b.json").startswith("The same numbers")


def test_nothing_to_compare_with(place):
    assert compare(place / "a.json", place / "b.json").startswith("There is no")
