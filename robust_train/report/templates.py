"""Pages out of templates: one look, and no name from outside becomes markup."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any


def render(name: str, content: Mapping[str, Any]) -> str:
    """The page that a template of this package makes; what it lacks raises rather than shows as nothing."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    folder = files("robust_train.report")
    templates = Environment(
        loader=FunctionLoader(lambda file: folder.joinpath(file).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return templates.get_template(name).render(content)
