"""``table`` from end to end: trained once, gone on with, and what it refuses."""

import json
import shlex
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
    card = (weights.parent / "README.md").read_text()
    assert card.startswith("# one-0\n")
    assert "robust-train fit --config=one.yaml --config=all/one/suite.yaml --seed_everything=0" in card
    assert "--out" not in card
    (place / "suite.yaml").write_text(SUITE.replace("0.1", "0.2"))
    assert main([*words, "--seeds=1"]) == 2
    assert "all/one/0 is of another recipe or suite" in capsys.readouterr().err


RESULTS = {
    "schema": 1,
    "clean_accuracy": {"value": 0.5, "n": 450},
    "regimes": {
        "fgsm": {"minimal": False, "norm": "linf", "eps": 0.1, "metrics": {"robust_accuracy": {"value": 0.5}}}
    },
    "timing": {"training": 1.0},
}


@pytest.fixture
def pretended(monkeypatch):
    """Trainings that write results at once; the commands that were run."""

    def run(command, **settings):
        [out] = [Path(word[len("--out=") :]) for word in command if word.startswith("--out=")]
        out.mkdir()
        (out / "results.json").write_text(json.dumps(RESULTS))
        (out / "README.md").write_text(f"robust-train evaluate {shlex.quote(str(out))}\n")
        commands.append(command)
        return SimpleNamespace(returncode=0, stderr="")

    commands = []
    monkeypatch.setattr(subprocess, "run", run)
    return commands


@pytest.mark.parametrize(
    "change",
    [
        lambda place: (place / "suite.yaml").write_text(SUITE.replace("limit: 16", "limit: 8")),
        lambda place: edit(place / "one.yaml", "batch_size: 64", "batch_size: 32"),
        lambda place: edit(place / "one.yaml", "published: {class_path: FGSM}", "published: DeepFool"),
        lambda place: (place / "all" / "one" / "0" / "request.yaml").unlink(),
    ],
    ids=["suite", "recipe", "published", "unknown"],
)
def test_what_was_made_of_another_recipe_or_suite_is_not_reported(words, place, pretended, capsys, change):
    assert main([*words, "--seeds=1"]) == 0
    change(place)
    assert main([*words, "--seeds=2"]) == 2
    sentence = "all/one/0 is of another recipe or suite: give another --out, or remove it."
    assert sentence in capsys.readouterr().err
    assert len(pretended) == 1


def test_a_comment_or_a_regime_that_is_not_measured_makes_no_other_recipe(words, place, pretended):
    assert main([*words, "--seeds=1"]) == 0
    edit(place / "one.yaml", "data:", "# Measured: much.\ndata:")
    edit(place / "one.yaml", "    deepfool: DeepFool\n", "")
    assert main([*words, "--seeds=1"]) == 0
    assert len(pretended) == 1


def test_the_card_names_the_folder_in_which_the_run_is_found(words, place, pretended):
    assert main([*words[:-1], "--out=all runs", "--seeds=1"]) == 0
    assert (place / "all runs" / "one" / "0" / "README.md").read_text() == (
        "robust-train evaluate 'all runs/one/0'\n"
    )


def test_a_recipe_without_a_measurement_of_its_own_has_none_published(words, place, pretended):
    text = (place / "one.yaml").read_text()
    (place / "one.yaml").write_text(text[: text.index("\nrobustness:")])
    assert main([*words, "--seeds=1"]) == 0
    assert "published" not in (place / "all" / "one" / "suite.yaml").read_text()


def test_a_run_that_cannot_start_stops_no_other(words, place, pretended, capsys):
    (place / "two.yaml").write_text((place / "one.yaml").read_text())
    (place / "all").mkdir()
    (place / "all" / "one").write_text("in the way")
    assert main([*words, "two.yaml", "--seeds=1"]) == 1
    assert "one.yaml with seed 0 failed: " in capsys.readouterr().err
    assert "| two | 50.0 |" in (place / "all" / "table.md").read_text()


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


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
        (["gone.yaml"], "There is no recipe gone.yaml: give the path of a YAML file."),
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
