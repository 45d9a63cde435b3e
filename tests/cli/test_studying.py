"""``study`` from end to end, and what it refuses."""

import json

import pytest

from robust_train.__main__ import main

STUDIES = "studies: {graph: {class_path: LabelGraph, init_args: {perturbation: {class_path: FGSM}}}}"


def test_a_checkpoint_is_asked_what_a_file_says(trained, place, capsys):
    (place / "studies.yaml").write_text(STUDIES)
    assert main(["study", str(trained), "--config=studies.yaml", "--limit=20", "--device=cpu"]) == 0
    summary, wrote = capsys.readouterr().out.splitlines()
    assert summary.startswith("graph: ")
    assert wrote == "Wrote runs/digits-tiny-study"
    content = json.loads((place / "runs" / "digits-tiny-study" / "studies.json").read_text())
    assert content["graph"]["settings"] == {"samples": 20}
    assert sum(cell["n"] for cell in (row[0] for row in content["graph"]["figures"][0]["values"][1:])) == 20


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("robustness: {regimes: {fgsm: FGSM}}", "studies.yaml has no studies section"),
        ("studies: {graph: LabelGraf}", "There is no Study LabelGraf. Did you mean LabelGraph?"),
        ("studies: {graph: FGSM}", "studies.graph: FGSM is no Study."),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(trained, place, capsys, text, sentence):
    (place / "studies.yaml").write_text(text)
    assert main(["study", str(trained), "--config=studies.yaml"]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
