import os

import pytest

from robust_train.report.atomic import write_text


def test_a_file_is_replaced(tmp_path):
    path = tmp_path / "a.txt"
    for text in ("first", "second \u2026\n"):
        write_text(path, text)
        assert path.read_text(encoding="utf-8") == text
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("step", ["replace", "open"])
def test_a_failure_leaves_the_old_file_and_nothing_else(step, tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail(*args, **kwargs):
        raise OSError("full")

    monkeypatch.setattr("os.replace" if step == "replace" else "builtins.open", fail)
    with pytest.raises(OSError, match="full"):
        write_text(path, "new")
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_failure_half_way_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(TypeError):
        write_text(path, 5)  # the temporary file is open by then
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_bytes_that_are_no_text_do_not_cost_the_file(tmp_path):
    write_text(tmp_path / "a.txt", "caf\udce9")
    assert (tmp_path / "a.txt").read_text() == "caf?"
