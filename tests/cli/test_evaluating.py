import json
import shutil

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from robust_train.__main__ import main
from robust_train.networks import SmallCNN
from robust_train.recipe.reading import read
from tests.cli.conftest import TINY

SUITE = "robustness: {regimes: {fgsm: FGSM}, limit: 6}"


@pytest.fixture
def suite(place):
    (place / "suite.yaml").write_text(SUITE)
    return "suite.yaml"


def test_a_checkpoint_gives_its_own_numbers_again(trained, place, capsys):
    assert main(["evaluate", str(trained), "--save-inputs", "--device=cpu"]) == 0
    cost, *_, same, wrote = capsys.readouterr().out.splitlines()
    assert cost.startswith("About 1 forward and 1 backward passes a sample")
    assert cost.endswith("for 16 samples.")
    assert same == f"The same numbers as in {trained}/results.json."
    assert wrote == "Wrote runs/digits-tiny-evaluation"
    folder = place / "runs" / "digits-tiny-evaluation"
    clean, perturbed = (load_file(folder / "inputs" / f"{name}.safetensors") for name in ("clean", "fgsm"))
    assert torch.equal(clean["index"], perturbed["index"])
    assert perturbed["images"].shape == (16, 1, 8, 8)
    assert 0 < (perturbed["images"] - clean["images"]).abs().max() <= 0.1
    assert {path.name for path in folder.iterdir()} >= {"results.json", "samples.csv", "report.html"}


def test_a_recipe_that_names_every_field_is_a_suite(trained, capsys):
    assert main(["evaluate", str(trained), f"--suite={trained}/recipe.yaml"]) == 0
    assert "The same numbers" in capsys.readouterr().out


def test_other_questions_are_not_compared(trained, suite, capsys):
    assert main(["evaluate", str(trained), "--suite", suite, "--limit=3", "--data.batch_size=3"]) == 0
    out = capsys.readouterr().out
    assert "for 3 samples." in out
    assert "other questions" in out


def test_another_suite_leaves_a_stochastic_network_its_draws(recipe, suite, place):
    noisy = ("--model.defenses=[NoiseLayers]", "--robustness.draws=2", "--out=noisy")
    assert main(["fit", f"--config={recipe}", *TINY, *noisy]) == 0
    (place / "two.yaml").write_text("robustness: {regimes: {fgsm: FGSM}, limit: 6, draws: 3}")
    for draws, words in ((2, [suite]), (3, ["two.yaml"]), (4, ["two.yaml", "--draws=4", "--seed=5"])):
        assert main(["evaluate", "noisy", "--out", f"runs/{draws}", "--suite", *words]) == 0
        results = json.loads((place / "runs" / str(draws) / "results.json").read_text())
        assert results["settings"]["draws"] == draws
        assert results["settings"]["seed"] == (5 if draws == 4 else 0)


def test_what_follows_from_the_data_is_kept(recipe, suite, place, capsys):
    normalised = ("--robustness.mean=[0.5]", "--robustness.std=[0.5]", "--out=normalised")
    assert main(["fit", f"--config={recipe}", *TINY, *normalised]) == 0
    assert main(["evaluate", "normalised", "--out=again"]) == 0
    assert "The same numbers" in capsys.readouterr().out
    assert main(["evaluate", "normalised", "--out=suite", "--suite", suite, "--save-inputs"]) == 0
    assert load_file(place / "suite" / "inputs" / "clean.safetensors")["images"].min() == 0.5


def test_a_damaged_record_is_no_reason_to_lose_an_evaluation(trained, suite, place, capsys):
    folder = shutil.copytree(trained, place / "damaged")
    (folder / "results.json").write_text('{"schema": 1, "clean')
    assert main(["evaluate", str(folder), "--suite", suite, "--limit=4", "--out=found"]) == 0
    assert "results.json is damaged (" in (out := capsys.readouterr().out)
    assert out.splitlines()[-1] == "Wrote found"


def test_changed_numbers_are_told(trained, place, capsys):
    folder = shutil.copytree(trained, place / "changed")
    results = json.loads((folder / "results.json").read_text())
    results["clean_accuracy"]["value"] = 0.5
    (folder / "results.json").write_text(json.dumps(results))
    assert main(["evaluate", str(folder)]) == 0
    assert "Other numbers than in" in capsys.readouterr().out


@pytest.mark.parametrize("file", ["w.safetensors", "w.pth"])
def test_a_network_that_is_not_ours(place, suite, capsys, file):
    from safetensors.torch import save_file
    from torchvision.models import resnet18

    for label in ("cat", "dog"):
        (place / "photographs" / label).mkdir(parents=True)
        for number in range(3):
            Image.effect_noise((40, 40), 100).convert("RGB").save(f"photographs/{label}/{number}.png")
    weights = resnet18(num_classes=2).state_dict()
    save_file(weights, file) if file.endswith("safetensors") else torch.save(weights, file)
    data = ("--data", "ImageFolder", "--data.root", "photographs", "--data.size=32")
    network = ("--network", "torchvision.models.resnet18", "--network.num_classes", "2", "--weights", file)
    assert main(["evaluate", *network, *data, "--suite", suite, "--out=found"]) == 0
    assert json.loads((place / "found" / "results.json").read_text())["clean_accuracy"]["n"] == 6
    assert capsys.readouterr().out.startswith(
        "Pixels are normalised by mean 0.485,0.456,0.406, std 0.229,0.224,0.225; --mean and --std name"
    )
    recipe = read(place / "found" / "evaluation.yaml")
    made = {"class_path": "torchvision.models.resnet18", "init_args": {"num_classes": 2}}
    assert (recipe["network"], recipe["weights"]) == (made, file)
    assert (recipe["mean"], recipe["std"]) == ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def test_random_weights_are_measured_when_asked_for_by_name(suite, capsys):
    network = ["--network", "SmallCNN", "--network.in_shape=[1, 8, 8]"]
    argv = ["evaluate", *network, "--data", "Digits", "--suite", suite]
    assert main([*argv, "--random-weights"]) == 0
    assert main([*argv, "--random-weights", "--weights=x.pt"]) == 2
    torch.save(SmallCNN((1, 8, 8), classes=3).state_dict(), "x.pt")
    assert main([*argv, "--weights=x.pt"]) == 1
    given = read("runs/SmallCNN-evaluation/evaluation.yaml")
    assert (given["weights"], given["mean"], given["std"]) == (None, None, None)
    assert "does not fit the network SmallCNN" in capsys.readouterr().err


@pytest.mark.parametrize("setting", ["autocast: true", "gallery: 3", "every_n_epochs: 2"])
def test_a_suite_that_asks_for_what_only_a_training_does_is_refused(trained, place, capsys, setting):
    (place / "suite.yaml").write_text(SUITE.replace("limit: 6", f"limit: 6, {setting}"))
    assert main(["evaluate", str(trained), "--suite=suite.yaml"]) == 2
    name = setting.partition(":")[0]
    assert f"robustness.{name} counts in the recipe of a training" in capsys.readouterr().err


SCORES = """
from robust_train.networks import SmallCNN

class Scores(SmallCNN):
    def forward(self, x):
        return {"scores": super().forward(x), "x": x}
"""


def test_the_logits_among_several_outputs_are_named(suite, place, monkeypatch, capsys):
    (place / "scores.py").write_text(SCORES)
    monkeypatch.syspath_prepend(place)
    network = ("--network=scores.Scores", "--allow-code=scores", "--network.in_shape=[1, 8, 8]")
    argv = ["evaluate", *network, "--random-weights", "--data=Digits", "--suite", suite]
    assert main(argv) == 1
    assert "with scores, x, not logits: name them by logits=" in capsys.readouterr().err
    assert main([*argv, "--logits=scores"]) == 0


FETCHED = """
from robust_train.data import Digits

class Fetched(Digits):
    there = False
    def prepare_data(self):
        self.there = True
    def read(self, train):
        if not self.there:
            raise FileNotFoundError("Nobody fetched it.")
        return super().read(train)
"""


def test_data_are_fetched_before_they_are_read(trained, suite, place, monkeypatch):
    (place / "fetched.py").write_text(FETCHED)
    monkeypatch.syspath_prepend(place)
    data = ("--data=fetched.Fetched", "--allow-code=fetched")
    assert main(["evaluate", str(trained), *data, "--suite", suite]) == 0


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "Name what to measure"),
        (["nowhere"], "There is no file or folder nowhere"),
        (["--network", "LeNet"], "Say what to measure on"),
        (["x", "--weights", "y"], "belongs to --network"),
        (["x", "--mintes=3"], "Did you mean --minutes?"),
        (["x", "y"], "y is one word too many here: see --help."),
        (["x", "--limit=0"], "--limit: it must be at least 1, not 0"),
        (["x", "--minutes=-1"], "--minutes: it must be positive, not -1"),
        (["x", "--draws=0"], "--draws: it must be at least 1, not 0"),
        (
            ["{trained}", "--device=cuda:99"],
            "There is no device cuda:99 here: leave --device out",
        ),
        (["{trained}", "--save-inputs", "--suite=clean.yaml"], "clean.safetensors twice: rename a regime."),
        (["x", "--limit=many"], "--limit"),
        (["--network", "LeNet", "--data", "Digits", "--random-weights", "--mean=a"], "--std"),
    ],
)
def test_wrong_uses(argv, words, trained, place, capsys):
    (place / "clean.yaml").write_text("robustness: {regimes: {clean: PGD}}")
    assert main(["evaluate", *(word.format(trained=trained) for word in argv)]) in (1, 2)
    assert words in capsys.readouterr().err
