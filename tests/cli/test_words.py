import sys

import pytest
import yaml

from robust_train.cli.words import allow_code, prepare
from robust_train.errors import UserError


def inlined(words):
    return [
        yaml.safe_load(word.removeprefix("--config="))
        for word in words.parsed
        if word.startswith("--config=")
    ]


def test_recipes_come_first_and_numbers_are_decimal(recipe):
    words = prepare(["--robustness.regimes.pgd.eps", "1/4", "--config", recipe, "--out=x"])
    assert words.configs == [recipe]
    assert words.parsed[1:] == ["--robustness.regimes.pgd.eps", "0.25", "--out=x"]


def test_classes_get_their_full_names_and_order_is_kept(recipe):
    (tree,) = inlined(prepare(["-c", recipe]))
    assert tree["model"]["network"]["class_path"] == "robust_train.networks.SmallCNN"
    assert list(tree["robustness"]["regimes"]) == ["pgd", "deepfool"]


def test_what_fit_records_is_left_out(place):
    (place / "recipe.yaml").write_text("checkpoint: {sha256: a}\nout: x")
    assert inlined(prepare(["--config=recipe.yaml"])) == [{"out": "x"}]


@pytest.mark.parametrize("word", ["--trainer.logger.api_key=1", "--password=x"])
def test_secrets_are_refused(word):
    with pytest.raises(UserError, match="looks like a secret"):
        prepare([word])


def test_code_of_the_current_folder_can_be_allowed(place, monkeypatch):
    monkeypatch.setattr(sys, "path", ["elsewhere"])
    assert allow_code(["mine"]) == ("mine",)
    assert sys.path == [str(place), "elsewhere"]
    assert allow_code([]) == ()
