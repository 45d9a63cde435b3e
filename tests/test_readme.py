"""The README's Python runs as it stands."""

import re
from pathlib import Path

import pytest

_README = Path(__file__).parents[1] / "README.md"
_BLOCKS = re.findall(r"```python\n(.*?)```", _README.read_text(encoding="utf-8"), re.S)


@pytest.mark.parametrize("block", _BLOCKS, ids=range(len(_BLOCKS)))
@pytest.mark.filterwarnings("ignore")
def test_python_of_the_readme_runs(block, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(block, str(_README), "exec", dont_inherit=True), {"__name__": "readme"})


def test_readme_has_python():
    assert len(_BLOCKS) >= 4
