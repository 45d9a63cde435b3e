import subprocess
import sys
from pathlib import Path

import pytest

from robust_train.__main__ import main

ROOT = Path(__file__).parents[2]


def test_help_is_there_at_once():
    heavy = "{'torch', 'yaml', 'pytorch_lightning', 'numpy'} & set(sys.modules)"
    code = f"import sys, robust_train.__main__ as m; m.main(['--help']); print(sorted({heavy}))"
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert out.endswith("[]\n")
    assert all(command in out for command in ("fit", "validate", "test", "evaluate"))


@pytest.mark.parametrize("argv", [["--help"], ["-h"], ["--version"]])
def test_questions_succeed(argv):
    assert main(argv) == 0


def test_nothing_is_a_wrong_use():
    assert main([]) == 2


@pytest.mark.parametrize(
    ("argv", "words"),
    [(["fti"], "Did you mean fit?"), (["--config", "a.yaml", "fit"], "first word is the command")],
)
def test_unknown_commands_are_told(argv, words, capsys):
    assert main(argv) == 2
    assert words in capsys.readouterr().err
