from dataclasses import dataclass
from typing import Any

from robust_train.perturbations import PGD
from robust_train.recipe.checking import check_fields
from robust_train.recipe.fields import fields_of, no_field
from robust_train.recipe.names import CHECKPOINT


def test_fields_are_those_of_the_bases_where_they_are_passed_on():
    class Base:
        def __init__(self, a: int, b: str = "") -> None: ...

    class Closed(Base):
        def __init__(self, b: float, **kwargs: Any) -> None: ...

    class Open:
        def __init__(self, c: int, **kwargs: Any) -> None: ...

    assert fields_of(Closed) == {"a": int, "b": float}
    assert fields_of(Open) == {"c": int, ...: Any}
    assert check_fields({"c": 1, "more": 2}, Open, "key", CHECKPOINT) == {"c": 1, "more": 2}
    assert {"eps", "norm", "bounds", "steps"} <= fields_of(PGD).keys()


def test_hints_that_cannot_be_resolved_are_let_through():
    @dataclass
    class Odd:
        x: "NoSuchName"  # noqa: F821

    assert fields_of(Odd) == {"x": Any}


def test_an_unknown_field_is_told_with_the_cure():
    assert str(no_field("epz", PGD, "a.b")) == "a.b.epz: PGD has no field epz. Did you mean eps?"
    assert "It has bounds, norm" in str(no_field("nothing", PGD, "a.b"))
