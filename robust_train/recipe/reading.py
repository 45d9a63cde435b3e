"""YAML as recipes use it: plain values, fractions, no surprises."""

import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from robust_train.errors import UsageError, did_you_mean

_LARGEST = 1_000_000  # bytes; a recipe has a few hundred
_NUMBER = re.compile(r"[-+]?(?:\d+/[1-9]\d*|(?:\d+\.?\d*|\.\d+)[eE][-+]?\d+)$")
_FRACTION = re.compile(r"(?:(?<==)|^)[-+]?\d+/[1-9]\d*$")


def read(path: str | Path) -> dict[str, Any]:
    """The content of a recipe file.

    Numbers may be fractions (``8/255``) and need no point (``1e-3``); only ``true`` and ``false``
    are booleans, so that ``on`` is a key like any other. Repeated keys and aliases are refused.

    Raises:
        UserError: There is no such file, or it is not a recipe.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _LARGEST:
            raise UsageError(f"{path} is too large to be a recipe.")
        return parse(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        raise absent(path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as a recipe: {error}.") from None


def parse(text: str, source: str = "The recipe") -> dict[str, Any]:
    """The content of a recipe.

    Args:
        text: The YAML.
        source: What to call it in errors.

    Raises:
        UserError: It is not valid.

    Example:
        >>> parse("{eps: 8/51, on: [test]}")
        {'eps': 0.1568..., 'on': ['test']}
    """
    try:
        content = yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UsageError(f"{source}{line}: {error.problem}.") from None
    except (yaml.YAMLError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else error
        raise UsageError(f"{source} is no valid YAML: {reason}.") from None
    if not isinstance(content, dict):
        raise UsageError(f"{source} holds no recipe: it needs keys such as model, data and trainer.")
    return content


def value(text: str) -> Any:
    """A value as it is typed after an option: a number, a list, or text.

    Example:
        >>> value("8/51"), value("[1, 2]"), value("0.5,0.5"), value("a: b")
        (0.1568..., [1, 2], '0.5,0.5', 'a: b')
    """
    try:
        found = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError:
        return text
    return text if isinstance(found, dict) and not text.startswith("{") else found


def dump(recipe: Mapping[str, Any]) -> str:
    """A recipe as YAML, which ``parse`` reads back.

    Example:
        >>> print(dump({"data": {"class_path": "Digits", "init_args": {"batch_size": 64}}}), end="")
        data:
          class_path: Digits
          init_args: {batch_size: 64}
    """
    options = {"sort_keys": False, "default_flow_style": None, "width": 100}
    return str(yaml.dump(dict(recipe), Dumper=_Dumper, **options))


def number(argument: str) -> str:
    """A command-line argument whose value is a fraction, with that spelt as a decimal.

    Example:
        >>> number("--robustness.regimes.pgd.eps=1/4"), number("1/4"), number("a/4")
        ('--robustness.regimes.pgd.eps=0.25', '0.25', 'a/4')
    """
    return _FRACTION.sub(lambda found: str(float(Fraction(found[0]))), argument)


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    def compose_node(self, parent: Any, index: Any) -> Any:
        # An alias may name what holds it, or double the size of the whole again and again.
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.MarkedYAMLError(problem="aliases are not part of recipes", problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            if not isinstance(name, str):
                raise yaml.MarkedYAMLError(problem=f"{name} is no name", problem_mark=key.start_mark)
            if name in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {name} is given twice", problem_mark=key.start_mark
                )
            seen.add(name)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    pass


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if not tag.endswith((":bool", ":timestamp"))]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true$|false$", re.I), list("tTfF"))
for _class in (_Loader, _Dumper):  # texts that look like numbers are written in quotes
    _class.add_implicit_resolver("!number", _NUMBER, list("-+.0123456789"))
_Loader.add_constructor("!number", lambda loader, node: float(Fraction(node.value)))


def absent(path: Path) -> UsageError:
    """What to raise where a file or folder is missing."""
    return UsageError(f"There is no file or folder {path}.{_nearest(path)}")


def _nearest(path: Path) -> str:
    """A file or folder of nearly the same name, in the deepest folder of the path that exists."""
    folder = next(parent for parent in path.absolute().parents if parent.is_dir())
    depth = len(path.absolute().relative_to(folder).parts)
    near = [str(p.relative_to(folder)) for p in folder.glob("/".join(["*"] * min(depth, 2)))]
    return did_you_mean(path.absolute().relative_to(folder), near)
