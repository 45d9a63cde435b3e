"""The checkpoints that are shipped are whole, and as accurate as they say."""

import json
from pathlib import Path

import pytest

from robust_train import Digits, evaluate
from robust_train.checkpoint import load, read_recipe

FOLDERS = sorted((Path(__file__).parents[1] / "checkpoints").iterdir())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_it_is_what_it_says(folder):
    card, results = ((folder / name).read_text() for name in ("README.md", "results.json"))
    assert card.replace("\\_", "_").startswith(f"# {folder.name}\n")
    assert f"robust-train evaluate checkpoints/{folder.name}\n" in card
    assert "=/" not in card  # a path of the machine that it was made on
    asked = read_recipe(folder)["robustness"]
    settings = {name: asked[name] for name in ("draws", "limit", "seed") if asked.get(name) is not None}
    network = load(folder)
    found = evaluate(network, Digits(), {}, **settings, progress=False).clean_accuracy
    told = json.loads(results)["clean_accuracy"]
    assert found.n == told["n"]
    assert abs(found.value - told["value"]) <= 1 / found.n  # another machine rounds otherwise
