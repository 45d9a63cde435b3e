import pytest

from robust_train.errors import UsageError, UserError, did_you_mean


def test_it_is_a_value_error_with_a_status():
    assert UserError("x").status == 1
    assert UsageError("x").status == 2
    with pytest.raises(ValueError, match=r"^x$"):
        raise UserError("x")


@pytest.mark.parametrize(
    ("word", "hint"), [("Pgd", " Did you mean PGD?"), ("zzzz", ""), (3, ""), ("", ""), (None, "")]
)
def test_only_what_is_near_is_suggested(word, hint):
    assert did_you_mean(word, ["PGD", "FGSM"]) == hint
