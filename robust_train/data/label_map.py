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
        FileNotFoundError: There is no such file.
        ValueError: The file says something else.
    """
    path = Path(path).expanduser()
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        labels = {folder: _label(folder, entry) for folder, entry in entries.items()}
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no label map {path.absolute()}: name another file.") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        labels = {}
    if not labels:
        raise ValueError(f"{path} is not a label map: write a JSON object such as {_EXAMPLE}.")
    return labels


def _label(folder: str, entry: Any) -> Label:
    fields = entry if isinstance(entry, dict) else {"index": entry}
    if not isinstance(fields["index"], int) or fields["index"] < 0:
        raise ValueError(f"{fields['index']} is no index.")
    return Label(fields["index"], fields.get("name", folder))
