"""``table`` from end to end: trained once, gone on with, and what it refuses."""

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from robust_train.__main__ import main

SUITE = """
robustness:
  limit: 16
  regimes: {fgsm: {class_path: FGSM, init_args: {eps: 0.1}}}
"""


@pytest.fixture
def words(place, recipe):
    """A recipe of one epoch, with a regime of its own, and a suite."""
    text = Path(recipe).read_text().replace("max_epochs: 30", "max_epochs: 1\n  accelerator: cpu")
    text = text.replace("regimes:\n    pgd:", "regimes:\n    published: {class_path: FGSM}\n    pgd:")
    (place / "one.yaml").write_text(text)
    (place / "suite.yaml").write_text(SUITE)
    return ["table", "one.yaml", "--suite=suite.yaml", "--out=all"]


@pytest.mark.slow
def test_every_seed_is_trained_once_and_the_table_written(words, place, capsys):
    assert main([*words, "--seeds=1"]) == 0
    weights = place / "all" / "one" / "0" / "model.safetensors"
    made = weights.stat().st_mtime_ns
    assert main([*words, "--seeds=2", "--jobs=2"]) == 0
    assert weights.stat().st_mtime_ns == made
    table = (place / "all" / "table.md").read_text()
    assert table.splitlines()[0] == "| recipe | clean, % | fgsm, % | gap | time |"
    assert table.splitlines()[2].startswith("| one | ")
    assert table in capsys.readouterr().out
    assert {path.name for path in (place / "all" / "one").iterdir()} == {"0", "1", "suite.yaml"}


def test_a_recipe_that_fails_is_named_and_the_others_are_done(words, place, monkeypatch, capsys):
    def run(command, **settings):
        return SimpleNamespace(returncode=1, stderr="No such thing.")

    monkeypatch.setattr(subprocess, "run", run)
    assert main([*words, "--seeds=2"]) == 1
    error = capsys.readouterr().err
    assert "one.yaml with seed 0 failed: No such thing.; one.yaml with seed 1 failed" in error
    assert not (place / "all" / "table.md").exists()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["gone.yaml"], "There is no recipe gone.yaml."),
        (["other/one.yaml"], "Two recipes have the same name"),
        (["--seeds=0"], "--seeds and --jobs must be at least 1."),
        (["--suite=quik"], "There is no suite quik. Did you mean quick?"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_trained(words, place, capsys, more, sentence):
    (place / "other").mkdir()
    (place / "other" / "one.yaml").write_text((place / "one.yaml").read_text())
    assert main([*words, *more]) == 2
    assert sentence in capsys.readouterr().err
    assert not (place / "all").exists()
