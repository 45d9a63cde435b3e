import os

import pytest
import torch

from robust_train.cli.failing import guarded
from robust_train.errors import UsageError, UserError
from robust_train.metrics.estimate import rate
from robust_train.perturbations import PGD


def raising(error):
    def command(argv):
        raise error

    return command


def test_a_users_mistake_is_one_line(capsys):
    assert guarded(raising(UsageError("First\nsecond.")), []) == 2
    assert capsys.readouterr().err == "robust-train: First second.\n"


def test_what_the_package_refuses_is_one_line(capsys):
    assert guarded(lambda argv: PGD(eps=-1.0), []) == 1
    assert "eps must be at least 0" in capsys.readouterr().err


def test_a_package_that_is_missing_is_one_line_unless_it_is_ours(capsys):
    assert guarded(raising(ModuleNotFoundError("Try pip install tensorboard.", name="tensorboard")), []) == 1
    assert capsys.readouterr().err == "robust-train: Try pip install tensorboard.\n"
    with pytest.raises(ModuleNotFoundError):
        guarded(raising(ModuleNotFoundError("No module named x", name="robust_train.x")), [])


def test_notes_are_part_of_the_line(capsys):
    error = KeyboardInterrupt()
    error.add_note("Go on.")
    assert guarded(raising(error), []) == 130
    assert capsys.readouterr().err == "robust-train: Interrupted. Go on.\n"


def test_what_fails_because_of_an_interrupt_is_one(capsys):
    def command(argv):
        try:
            raise KeyboardInterrupt
        finally:
            raise RuntimeError("unexpected position in a file")

    assert guarded(command, []) == 130
    assert capsys.readouterr().err == "robust-train: Interrupted.\n"


@pytest.mark.parametrize(
    "command", [raising(ValueError("test's")), lambda argv: rate(None), lambda argv: torch.eye(-1)]
)
def test_other_errors_are_bugs_and_keep_their_traceback(command):
    with pytest.raises((ValueError, TypeError, RuntimeError)):
        guarded(command, [])


def test_debug_shows_all(monkeypatch):
    monkeypatch.setattr(os, "environ", {"ROBUST_TRAIN_DEBUG": "1"})
    with pytest.raises(UserError):
        guarded(raising(UserError("x")), [])


@pytest.mark.parametrize(("code", "status"), [(0, 0), (3, 3), (None, 0), ("text", 1)])
def test_exits_pass_through(code, status):
    assert guarded(raising(SystemExit(code)), []) == status
