"""``compare`` from end to end, and what it refuses."""

import json
import shutil

import pytest

from robust_train.__main__ import main


def test_two_checkpoints_are_compared(trained, place, capsys):
    shutil.copytree(trained, place / "other")
    assert main(["compare", str(trained), "other", "--regime=pgd", "--limit=8", "--device=cpu"]) == 0
    sentence, wrote = capsys.readouterr().out.splitlines()
    assert sentence.startswith("Of what pgd made on one network")
    assert wrote == "Wrote runs/comparison"
    content = json.loads((place / "runs" / "comparison" / "comparison.json").read_text())["pgd"]
    assert content["networks"] == [trained.name, "other"]
    assert content["samples"] == 8
    # They are the same network.
    assert content["transfer"][0] == content["transfer"][1]
    assert content["mcnemar"][0][1] == 1.0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Name at least two checkpoint folders to compare."),
        (["missing", "gone"], "There is no file or folder missing."),
        (["{trained}", "{trained}"], "Name every checkpoint folder once."),
        (["{trained}", "other", "--regime=pdg"], "quick has no additive regime pdg: it has pgd, "),
        (["{trained}", "other", "--suite=quik"], "There is no suite quik. Did you mean quick?"),
        (["{trained}", "other", "--suite=noisy.yaml"], "leave draws out of noisy.yaml."),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(trained, place, capsys, words, sentence):
    shutil.copytree(trained, place / "other")
    (place / "noisy.yaml").write_text("robustness: {regimes: {pgd: PGD}, draws: 2}")
    assert main(["compare", *(word.format(trained=trained) for word in words)]) in (1, 2)
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert not (place / "runs").exists() or not list((place / "runs").glob("comparison*"))
