"""``compare`` from end to end, and what it refuses."""

import json
import shutil

import pytest
from torch import nn

from robust_train import checkpoint
from robust_train.__main__ import main


def changed(trained, folder, old, new):
    """A copy with another recipe."""
    recipe = shutil.copytree(trained, folder) / "recipe.yaml"
    assert recipe.read_text().count(old) == 1
    recipe.write_text(recipe.read_text().replace(old, new))


def test_two_checkpoints_are_compared(trained, place, capsys):
    changed(trained, place / "other", "batch_size: 64", "batch_size: 32")
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


@pytest.mark.parametrize("regime", ["pgd", "universal"])
def test_a_test_part_alone_is_enough(trained, place, mine, regime):
    (place / "two.yaml").write_text("robustness: {regimes: {pgd: FGSM, universal: UniversalGradient}}")
    for name in ("one", "other"):
        changed(trained, place / name, "class_path: Digits", "class_path: mine.TestAlone")
    words = ["one", "other", "--allow-code", mine, "--suite=two.yaml", f"--regime={regime}", "--limit=8"]
    assert main(["compare", *words, "--device=cpu"]) == 0
    assert json.loads((place / "runs/comparison/comparison.json").read_text())[regime]["samples"] == 8


def test_warnings_follow_the_sentence(trained, place, capsys):
    loud = checkpoint.load(trained)
    *_, last = (module for module in loud.modules() if isinstance(module, nn.Linear))
    last.weight.data *= 1e6
    (place / "loud").mkdir()
    checkpoint.save(place / "loud", loud, checkpoint.read_recipe(trained))
    assert main(["compare", str(trained), "loud", "--regime=pgd", "--limit=8", "--device=cpu"]) == 0
    _, warning, wrote = capsys.readouterr().out.splitlines()
    assert warning.startswith("! loud: The gradient of CrossEntropy is zero or not finite for ")
    assert wrote == "Wrote runs/comparison"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("class_path: Digits", "class_path: MNIST", "data.class_path is robust_train.data.Digits in"),
        ("mean: null", "mean: [0.5]", "the recipe of other has robustness.mean: leave other out"),
        ("\n  draws: 1", "\n  draws: 2", "The network has no Noise in it"),
    ],
)
def test_what_the_recipes_say_of_data_and_network_is_heard(trained, place, capsys, old, new, sentence):
    changed(trained, place / "other", old, new)
    assert main(["compare", str(trained), "other", "--regime=pgd", "--limit=8"]) in (1, 2)
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert not (place / "runs").exists() or not list((place / "runs").glob("comparison*"))


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
