from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import pytest

from robust_train.errors import UserError
from robust_train.perturbations import Perturbation
from robust_train.recipe.checking import check
from robust_train.recipe.names import CHECKPOINT, RECIPE

PGD_NODE = {"class_path": "robust_train.perturbations.PGD", "init_args": {"eps": 0.1}}


@pytest.mark.parametrize(
    ("value", "expected", "checked"),
    [
        (3, int, 3),
        (3, float, 3),
        (None, int | None, None),
        ("a", Path | str, "a"),
        ([1, 2], tuple[float, float] | None, (1, 2)),
        ([1, 2, 3], tuple[int, ...], (1, 2, 3)),
        ([1], Iterable[int], [1]),
        ("l2", Literal["l2", "linf"], "l2"),
        ({"a": 1}, dict[str, int], {"a": 1}),
        ([1, "a"], Any, [1, "a"]),
        ("PGD", Perturbation, {"class_path": "robust_train.perturbations.PGD", "init_args": {}}),
        ({"class_path": "PGD", "init_args": {"eps": 0.1}}, Perturbation | None, PGD_NODE),
        ([PGD_NODE], list[Perturbation] | None, [PGD_NODE]),
        ({"pgd": PGD_NODE}, dict[str, Perturbation], {"pgd": PGD_NODE}),
        ({"init_args": {"eps": 0.1}}, Perturbation, {"init_args": {"eps": 0.1}}),
        ("whatever", type("Foreign", (), {}), "whatever"),
    ],
)
def test_what_fits_is_taken(value, expected, checked):
    assert check(value, expected, "key", CHECKPOINT) == checked


@pytest.mark.parametrize(
    ("value", "expected", "words"),
    [
        (1.5, int, "key must be a whole number, not 1.5."),
        (True, int, "key must be a whole number, not True."),
        (1, bool, "key must be true or false, not 1."),
        ("four", int | None, "key must be a whole number or null, not 'four'."),
        ("linff", Literal["l2", "linf"], "key must be one of l2, linf, not 'linff'. Did you mean linf?"),
        (
            "bf16_mixed",
            Literal[64, 32] | Literal["32", "bf16-mixed"] | None,
            "key must be one of 64, 32, bf16-mixed, not 'bf16_mixed'. Did you mean bf16-mixed?",
        ),
        ([1], tuple[float, float], "key must be a list of 2, not [1]."),
        (3, list[int], "key must be a list, not 3."),
        ([1, "a"], list[int], "key[1] must be a whole number, not 'a'."),
        (3, dict[str, int], "key must be a mapping, not 3."),
        ({"a": "b"}, dict[str, int], "key.a must be a whole number, not 'b'."),
        (3, Perturbation, "key must be a Perturbation"),
        ("PDG", Perturbation | None, "key: There is no Perturbation PDG. Did you mean PGD?"),
        ({"class_pth": "PGD"}, Perturbation, "not class_pth. Did you mean class_path?"),
        (
            {"class_path": "PGD", "init_args": {"epz": 1}},
            Perturbation,
            "key.epz: PGD has no field epz. Did you mean eps?",
        ),
        ({"class_path": "PGD", "init_args": [1]}, Perturbation, "key must be the fields of PGD"),
        ({"class_path": 3}, Perturbation, "key: There is no Perturbation 3."),
    ],
)
def test_what_does_not_fit_is_told(value, expected, words):
    with pytest.raises(UserError) as caught:
        check(value, expected, "key", CHECKPOINT)
    assert words in str(caught.value)
    assert caught.value.status == 2


@pytest.mark.parametrize("expected", [Any, type("Foreign", (), {}), dict])
def test_nothing_is_smuggled_in_where_the_type_is_unknown(expected):
    with pytest.raises(UserError, match="not a name that recipes may use"):
        check({"a": [{"class_path": "os.system"}]}, expected, "key", CHECKPOINT)


def test_callables_are_what_they_make():
    from torch.optim import Optimizer

    node = check("SGD", Callable[[Any], Optimizer], "key", RECIPE)
    assert node["class_path"] == "torch.optim.SGD"
    with pytest.raises(UserError, match="is no Optimizer"):
        check("PGD", Callable[[Any], Optimizer], "key", RECIPE)


def test_a_data_class_needs_no_name():
    from robust_train.defenses import Ramp

    node = check({"start": 0, "end": 0.1}, Ramp | None, "key", CHECKPOINT)
    assert node == {"class_path": "robust_train.defenses.Ramp", "init_args": {"start": 0, "end": 0.1}}
    with pytest.raises(UserError, match="Ramp has no field stop"):
        check({"start": 0, "stop": 0.1}, Ramp | None, "key", CHECKPOINT)
