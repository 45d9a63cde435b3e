"""Files that are whole or not there at all."""

import os
from pathlib import Path
from uuid import uuid4


def write_text(path: str | Path, text: str) -> None:
    """Write a file in one step: a failure leaves what was there, and nothing half-written.

    Raises:
        OSError: The folder is missing or cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_text(Path(folder, "a.txt"), "whole")
        ...     Path(folder, "a.txt").read_text()
        'whole'
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")  # the same folder: a rename, never a copy
    try:
        # Names of files and classes may hold bytes that are no UTF-8; they must not cost the report.
        with open(temporary, "x", encoding="utf-8", errors="replace", newline="") as file:
            file.write(text)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
