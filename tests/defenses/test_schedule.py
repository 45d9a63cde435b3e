"""Ramps."""

import pytest

from robust_train import (
    NFGSM,
    PGD,
    TRADES,
    AdversarialTraining,
    DetectorHead,
    FreeAdversarialTraining,
    Ramp,
    UniversalAdversarialTraining,
)


def test_it_is_linear_between_its_marks_and_flat_outside():
    ramp = Ramp(1.0, 3.0, begin=0.25, until=0.75)
    assert [ramp(p) for p in (0.0, 0.25, 0.5, 0.75, 1.0)] == [1.0, 1.0, 2.0, 3.0, 3.0]


def test_a_jump_has_no_slope():
    jump = Ramp(0.0, 1.0, begin=0.5, until=0.5)
    assert (jump(0.49), jump(0.5)) == (0.0, 1.0)
    assert Ramp(0.0, 1.0, until=0.0)(0.0) == 1.0


@pytest.mark.parametrize(("begin", "until"), [(0.6, 0.5), (-0.1, 1.0), (0.0, 1.1)])
def test_marks_out_of_order_are_refused(begin, until):
    with pytest.raises(ValueError, match=r"^Ramp: begin .* must rise within \[0, 1\]"):
        Ramp(0.0, 1.0, begin, until)


def test_what_is_neither_a_number_nor_a_ramp_is_refused():
    with pytest.raises(TypeError, match=r"^NFGSM: eps must be a number, not '8/255'\.$"):
        NFGSM(eps="8/255")


@pytest.mark.parametrize("eps", [8, Ramp(0.0, 8.0), Ramp(8.0, 0.1)])
@pytest.mark.parametrize(
    "make",
    [
        NFGSM,
        TRADES,
        FreeAdversarialTraining,
        UniversalAdversarialTraining,
        lambda eps: AdversarialTraining(PGD(), eps=eps),
        lambda eps: DetectorHead("0", (1, 8, 8), eps=eps),
    ],
)
def test_a_budget_that_is_not_in_pixel_units_is_refused(make, eps):
    with pytest.raises(ValueError, match=r"^\w+: eps 8 is more than the whole range of pixels \[0.*as 8/255"):
        make(eps)


def test_a_budget_of_another_norm_or_of_pixels_in_other_units_may_be_large():
    assert TRADES(norm="l2", eps=8.0).eps == 8.0
    assert AdversarialTraining(PGD(bounds=(0.0, 255.0)), eps=8.0).eps == 8.0
