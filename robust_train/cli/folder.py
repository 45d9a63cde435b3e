"""The folder of a run: claimed before the first step, never written over."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

from robust_train.errors import UserError

RUNS = Path("runs")


def run_name(recipe: str | Path) -> str:
    """``<data>-<defense>``, from the path of a recipe or of a checkpoint's.

    Example:
        >>> run_name("recipes/digits/adversarial.yaml"), run_name("checkpoints/digits-standard/recipe.yaml")
        ('digits-adversarial', 'digits-standard')
        >>> run_name("mine.yaml")
        'mine'
    """
    path = Path(recipe)
    if path.stem == "recipe":
        return path.absolute().parent.name
    return "-".join(part for part in (path.parent.name, path.stem) if part.strip("."))


def fresh(name: str) -> Path:
    """The first of ``runs/<name>``, ``runs/<name>-2``, ... that does not exist."""
    path, count = RUNS / name, 1
    while path.exists():
        count += 1
        path = RUNS / f"{name}-{count}"
    return path


@contextmanager
def claimed(folder: Path, resumed: bool = False) -> Iterator[Path]:
    """A folder that is made and proves writable at once.

    Where the body fails, what it left is removed again, unless that is a checkpoint to resume from.

    Args:
        folder: Where to write; new or empty.
        resumed: It holds the unfinished run that goes on.

    Raises:
        UserError: It is not empty, or cannot be written.
    """
    made = not folder.exists()
    _claim(folder, resumed)
    try:
        yield folder
    except BaseException as error:
        kept = sorted(folder.glob("*.ckpt"), key=lambda path: (path.stem == "last", path.stat().st_mtime))
        if kept:
            error.add_note(f"Go on with --ckpt_path={kept[-1]}.")
        elif made:
            rmtree(folder, ignore_errors=True)
        raise


def _claim(folder: Path, resumed: bool) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()) and not resumed:
            raise UserError(
                f"{folder} is not empty, and no run is written over: name another place by --out."
            )
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(
            f"{folder} cannot be written ({error.strerror}): name another place by --out."
        ) from None
