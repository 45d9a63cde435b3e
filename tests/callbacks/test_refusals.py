"""What would only show after an epoch, or never, is refused when the callback is made."""

import pytest

from robust_train import PGD, Robustness


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"regimes": PGD()},
            r'^The suite is a PGD: give a dictionary of regimes by name, such as {"pgd": PGD\(',
        ),
        ({"regimes": {"pgd": PGD}}, r"^Regime pgd is the class PGD: give an instance, PGD\(\.\.\.\)\.$"),
        (
            {"on": "validate"},
            r'^Robustness: on is \'validate\': give a list of "validate", "test" and "fit"\.$',
        ),
        ({"on": ("val",)}, r"^Robustness: on is \('val',\): give a list"),
        ({"every_n_epochs": 0}, r"^Robustness: every_n_epochs must be at least 1, not 0\.$"),
        ({"limit": 0}, r"^Robustness: limit must be at least 1, not 0\.$"),
        ({"limit": -1}, "limit must be at least 1, not -1"),
        ({"block": 0}, "block must be at least 1"),
        ({"draws": 0}, "draws must be at least 1"),
        ({"mean": [0.5]}, "^Robustness: normalisation needs both mean and std: give the other one too"),
        ({"std": [0.5]}, "normalisation needs both mean and std"),
    ],
)
def test_what_means_nothing_is_refused_in_a_sentence(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        Robustness(**{"regimes": {}, **settings})
