import pytest

from robust_train.cli.suites import build_suite, find_suite, read_suite
from robust_train.errors import UserError
from robust_train.perturbations import PGD
from robust_train.recipe.names import CHECKPOINT
from tests.cli.conftest import RECIPES


def test_suites_are_found_by_path_and_by_name(place):
    assert find_suite("quick").name == "quick.yaml"
    (place / "mine.yaml").write_text("robustness: {regimes: {pgd: PGD}}")
    assert read_suite(find_suite("mine.yaml")) == {"regimes": {"pgd": "PGD"}}


KNOWN = ", ".join(sorted(path.stem for path in RECIPES.glob("evaluation/*.yaml")))


@pytest.mark.parametrize(("name", "words"), [("qick", "Did you mean quick?"), ("zzz", f"one of: {KNOWN}.")])
def test_names_that_are_wrong_are_told(name, words):
    with pytest.raises(UserError) as caught:
        find_suite(name)
    assert words in str(caught.value)


def test_a_recipe_without_a_suite_is_refused(place):
    (place / "mine.yaml").write_text("model: {}")
    with pytest.raises(UserError, match="is no suite: add 'robustness: "):
        read_suite(place / "mine.yaml")


def test_suites_are_built_with_their_settings():
    section = {"regimes": {"pgd": {"class_path": "PGD", "init_args": {"eps": 0.5}}}, "limit": 3, "seed": 1}
    suite, settings = build_suite(section, CHECKPOINT)
    assert suite == {"pgd": PGD(eps=0.5)}
    assert settings == {"limit": 3, "seed": 1}
    with pytest.raises(UserError, match="empty"):
        build_suite({}, CHECKPOINT)
