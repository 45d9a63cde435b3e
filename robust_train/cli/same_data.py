"""Whether recipes name the same images."""

from collections.abc import Mapping
from inspect import signature
from itertools import pairwise
from typing import Any

from robust_train.data.base import ImageData
from robust_train.errors import UsageError
from robust_train.recipe.checking import check_node
from robust_train.recipe.names import Names

_LOADING = {*signature(ImageData).parameters, "download"}  # without a say in the test images


def check_same_data(recipes: Mapping[str, Mapping[str, Any]], names: Names) -> None:
    """Refuse networks that were made for different data.

    Args:
        recipes: By the name of the network; one without data fits any.
        names: What they may name.

    Raises:
        UserError: Two recipes name different data, or something is wrong in one.
    """
    named = {title: _images(recipe["data"], names) for title, recipe in recipes.items() if "data" in recipe}
    for first, title in pairwise(named):
        one, other = named[first], named[title]
        different = [field for field in one | other if one.get(field) != other.get(field)]
        if different:
            field, unset = different[0], "not set"
            raise UsageError(
                f"{first} and {title} are not of the same data: data.{field} is {one.get(field, unset)} in "
                f"the first recipe and {other.get(field, unset)} in the second; compare networks of one data "
                "set."
            )


def _images(data: Any, names: Names) -> dict[str, Any]:
    """What decides about the test images, by field."""
    node = check_node(data, ImageData, "data", names)
    fields = {name: value for name, value in node["init_args"].items() if name not in _LOADING}
    return {"class_path": node["class_path"], **fields}
