"""What the classes of somebody's data are called."""

from typing import Any


def class_names(*holders: Any) -> tuple[str, ...]:
    """The first list of ``classes`` that one of these has; nothing where none has one.

    Example:
        >>> from types import SimpleNamespace
        >>> class_names(None, SimpleNamespace(classes=2), SimpleNamespace(classes=["dark", "light"]))
        ('dark', 'light')
    """
    lists = (getattr(holder, "classes", None) for holder in holders)
    return tuple(map(str, next((one for one in lists if one and isinstance(one, (list, tuple))), ())))


def about_classes(names: tuple[str, ...], count: int) -> list[str]:
    """A warning where the network has logits for more classes than the data has names.

    Args:
        names: Of the data's classes; none where they are not known.
        count: Of the network's classes.

    Example:
        >>> about_classes(("dark", "light"), 2)
        []
    """
    if not names or len(names) >= count:
        return []
    return [
        f"The data has {len(names)} classes and the network {count}: figures mean something only where label "
        "i is the network's class i."
    ]
