"""Options that change single fields of recipes, checked against the classes that these name."""

from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import zip_longest
from typing import Any, get_args, get_origin

from robust_train.cli.sections import SECTIONS
from robust_train.errors import UsageError, did_you_mean
from robust_train.recipe.checking import check
from robust_train.recipe.fields import fields_of, no_field
from robust_train.recipe.names import Names
from robust_train.recipe.reading import value


class Overrides:
    """``--model.network.width=16`` and the like; what cannot be told here is left to the parser.

    Args:
        words: The command line, without the recipes.
        recipes: In their order.
        names: What classes may be named.
    """

    def __init__(self, words: Sequence[str], recipes: Iterable[dict[str, Any]], names: Names) -> None:
        self.typed = typed(words)
        self.recipe: dict[str, Any] = reduce(merge, recipes, {})
        self.names = names

    def check(self) -> None:
        """Follow each option down to the field that it names.

        Raises:
            UserError: A field or class does not exist, or a value is of the wrong type.
        """
        for option, text in self.typed.items():
            section, *keys = option.split(".")
            if section in SECTIONS and not option.endswith(("+", ".help")):
                self._follow(keys, text, SECTIONS[section], self.recipe.get(section), section)

    def _follow(self, keys: list[str], text: str, expected: Any, given: Any, place: str) -> None:
        if not keys:
            check(value(text), expected, place, self.names)
            return
        key, rest = keys[0], keys[1:]
        inner = given.get(key) if isinstance(given, dict) else None
        if get_origin(expected) is dict:
            if inner is None and rest:
                raise UsageError(f"{place} has no {key}.{did_you_mean(key, given or ())}")
            self._follow(rest, text, get_args(expected)[1], inner, f"{place}.{key}")
        elif key in ("class_path", "init_args"):
            self._follow(rest, text, expected if rest else Any, given, place)
        elif made := self._made(expected, given, place):
            fields = fields_of(made)
            if key not in fields and ... not in fields:
                raise no_field(key, made, place)
            if isinstance(given, dict) and "class_path" in given:
                inner = given.get("init_args", {}).get(key)
            self._follow(rest, text, fields.get(key, Any), inner, f"{place}.{key}")

    def _made(self, expected: Any, given: Any, place: str) -> Any:
        """The class whose fields are meant: the one that is typed, or what a recipe names."""
        name = self.typed.get(place) or (given.get("class_path") if isinstance(given, dict) else given)
        if isinstance(name, str):
            return self.names.resolve(name)
        return expected if expected in SECTIONS.values() else None


def typed(words: Sequence[str]) -> dict[str, str]:
    """Options and what is typed after them.

    Example:
        >>> typed(["--a.b=1", "--c", "2", "--flag"])
        {'a.b': '1', 'c': '2', 'flag': 'true'}
    """
    options = {}
    for word, after in zip_longest(words, words[1:], fillvalue="--"):
        option, given, text = word.partition("=")
        if option.startswith("--"):
            options[option[2:]] = text if given else "true" if after.startswith("--") else after
    return options


def merge(a: Any, b: Any) -> Any:
    """``b`` over ``a``, key by key; another class, or another suite, takes the place of the old.

    Example:
        >>> merge({"a": {"x": 1, "y": 2}}, {"a": {"x": 3}})
        {'a': {'x': 3, 'y': 2}}
    """
    if not (isinstance(a, dict) and isinstance(b, dict)):
        return b
    if b.get("class_path", a.get("class_path")) != a.get("class_path"):
        return b
    return {**a, **{k: b[k] if k == "regimes" else merge(a.get(k), b[k]) for k in b}}
