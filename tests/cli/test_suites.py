from dataclasses import fields, is_dataclass

import pytest

from robust_train import (
    FMN,
    Affine,
    Corruption,
    Deformation,
    Dilation,
    Foreign,
    Rigid,
    Semirandom,
    Similarity,
    SmallestSeverity,
    Stabilised,
    Static,
    WorstPose,
)
from robust_train.cli.suites import build_suite, find_suite, read_suite
from robust_train.errors import UserError
from robust_train.perturbations import PGD
from robust_train.recipe.names import CHECKPOINT
from tests.cli.conftest import RECIPES
from tests.perturbations.examples import EXAMPLES


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


def kinds(value):
    """The classes of a regime, those that it is made of included."""
    if isinstance(value, (list, tuple)):
        return {kind for one in value for kind in kinds(one)}
    if not is_dataclass(value):
        return set()
    return {type(value)} | {kind for field in fields(value) for kind in kinds(getattr(value, field.name))}


def test_the_full_suite_has_every_kind_of_perturbation_and_every_form_of_some():
    """But those around another search, which undo or withhold what it knows, or come from elsewhere."""
    suite, _ = build_suite(read_suite(find_suite("full")), CHECKPOINT)
    regimes = list(suite.values())
    assert set(EXAMPLES) - {Static, Stabilised, Foreign} <= kinds(regimes)
    assert {p.basis for p in regimes if isinstance(p, Semirandom)} == {
        "random",
        "low_frequency",
        "high_frequency",
    }
    assert {p.norm for p in regimes if isinstance(p, FMN)} == {"linf", "l2", "l1", "l0"}
    assert {Deformation, Dilation, Similarity, Rigid, Affine} <= kinds(regimes)
    assert {bool(p.draws) for p in regimes if isinstance(p, WorstPose)} == {True, False}
    assert any(isinstance(p.transform, Corruption) for p in regimes if isinstance(p, SmallestSeverity))
