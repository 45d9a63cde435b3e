"""How a command fails: one sentence for what the user can cure, a traceback for what we must."""

import dis
import os
import sys
from collections.abc import Callable
from types import TracebackType

from robust_train.errors import UserError

_SENTENCES = (ValueError, TypeError, OSError, ImportError)


def guarded(command: Callable[[list[str]], None], argv: list[str]) -> int:
    """Run a command and return its exit status.

    An error that this package raises on purpose is shown as one line; ``ROBUST_TRAIN_DEBUG=1``
    shows where it came from, too.
    """
    try:
        command(argv)
    except KeyboardInterrupt as error:
        return _say(error, "Interrupted.", 130)
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except Exception as error:
        if _interrupted(error):
            return _say(error, "Interrupted.", 130)
        if os.environ.get("ROBUST_TRAIN_DEBUG") or not _deliberate(error):
            raise
        return _say(error, str(error), getattr(error, "status", 1))
    return 0


def _interrupted(error: BaseException | None) -> bool:
    """Whether an interrupt is behind it: what is cut short, such as the writing of a file, may fail."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _say(error: BaseException, sentence: str, status: int) -> int:
    words = [sentence, *getattr(error, "__notes__", [])]
    print(f"robust-train: {' '.join(' '.join(words).split())}", file=sys.stderr)
    return status


def _deliberate(error: Exception) -> bool:
    """Whether it was raised by a ``raise`` of this package, rather than by something that went wrong."""
    if isinstance(error, UserError):
        return True
    if isinstance(error, ModuleNotFoundError):  # an optional package is for the user to install
        return not (error.name or "").startswith("robust_train")
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return last is not None and isinstance(error, _SENTENCES) and _ours(last)


def _ours(trace: TracebackType) -> bool:
    frame = trace.tb_frame
    raised = dis.opname[frame.f_code.co_code[trace.tb_lasti]] == "RAISE_VARARGS"
    return raised and str(frame.f_globals.get("__name__")).partition(".")[0] == "robust_train"
