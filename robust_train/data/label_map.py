"""Labels of the folders of a data set, read from a file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_EXAMPLE = '{"n01440764": {"index": 0, "name": "tench"}}'


@dataclass(frozen=True)
class Label:
    """A class: its index among the logits, and its name."""

    index: int
    name: str


def read_label_map(path: str | Path) -> dict[str, Label]:
    """The labels of folders, by the folder's name.

    The file is a JSON object such as ``{"n01440764": {"index": 0, "name": "tench"}}``, or just
    ``{"tench": 0}``, where the folder's name is the class's.

    Raises:
        FileNotFoundError: There is no such file that can be read.
        ValueError: The file says something else.
    """
    path = Path(path).expanduser()
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        labels = {folder: _label(folder, entry) for folder, entry in entries.items()}
    except OSError:  # a folder, for one
        raise FileNotFoundError(f"There is no label map {path.absolute()}: name another file.") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        labels = {}
    if not labels:
        raise ValueError(f"{path} is not a label map: write a JSON object such as {_EXAMPLE}.")
    return labels


def _label(folder: str, entry: Any) -> Label:
    fields = entry if isinstance(entry, dict) else {"index": entry}
    index, name = fields["index"], fields.get("name", folder)
    if type(index) is not int or index < 0 or not isinstance(name, str):  # true would pass for an index
        raise ValueError(f"{index} is no index, or {name} no name.")
    return Label(index, name)
