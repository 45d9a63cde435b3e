"""Fields that take one of a few values."""

import re
from dataclasses import dataclass, field

import numpy as np
import pytest

from robust_train import DDN, FMN, NFGSM, PGD, AdversarialTraining, DeepFool, RandomDirection
from robust_train.checks import check_choices


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: DDN(norm="linf"), "DDN: norm must be l2, not 'linf'. FMN minimises linf, l2, l1 and l0."),
        (lambda: PGD(norm="L2"), "PGD: norm must be linf, l2 or l1, not 'L2'. Did you mean l2?"),
        (lambda: FMN(norm="L2"), "FMN: norm must be linf, l2, l1 or l0, not 'L2'. Did you mean l2?"),
        (lambda: PGD(norm="l0"), "PGD: norm must be linf, l2 or l1, not 'l0'."),
        (lambda: FMN(norm=2), "FMN: norm must be linf, l2, l1 or l0, not 2. Did you mean l2?"),
        (
            lambda: RandomDirection(components="gauss"),
            "RandomDirection: components must be gaussian or uniform, not 'gauss'. Did you mean gaussian?",
        ),
        (lambda: NFGSM(mode="test"), "NFGSM: mode must be eval or train, not 'test'."),
        (
            lambda: AdversarialTraining(mode="evaluation"),
            "AdversarialTraining: mode must be eval or train, not 'evaluation'.",
        ),
    ],
)
def test_the_sentence_lists_what_there_is(make, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        make()


def test_a_norm_that_deepfool_does_not_search_is_refused_before_it_measures_in_it():
    with pytest.raises(ValueError, match="DeepFool: norm must be linf, l2 or l1, not 'l0'"):
        DeepFool(norm="l0")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: DeepFool(refinements=2.5), "DeepFool: refinements must be a whole number, not 2.5."),
        (lambda: PGD(eps=0.1, steps=40.0), "PGD: steps must be a whole number, not 40.0."),
    ],
)
def test_what_is_counted_is_whole(make, sentence):
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        make()


def test_counts_of_other_libraries_are_whole_too():
    assert PGD(eps=0.1, steps=np.int64(3)).steps == 3


def test_what_a_class_sets_by_itself_and_what_has_no_choices_is_left_alone():
    @dataclass
    class Free:
        text: str = "any"
        own: "int" = field(init=False)

    check_choices(Free())
