import json

import pytest
import torch
import yaml
from safetensors.torch import load_file

from robust_train import Digits, RobustClassifier, checkpoint
from robust_train.__main__ import main
from robust_train.networks.scattering import Scattering
from robust_train.recipe.reading import read
from tests.cli.conftest import RECIPES, TINY

CHECKPOINT = {"model.safetensors", "recipe.yaml", "results.json", "README.md"}
REPORT = {"samples.csv", "report.html"}


def printed(capsys, *argv):
    """The recipe that ``--print_config`` shows."""
    assert main(["fit", *argv, "--print_config"]) == 0
    return yaml.safe_load(capsys.readouterr().out)


def test_fit_writes_a_checkpoint_and_a_report_and_names_them(recipe, place, capsys):
    assert main(["fit", "--config", recipe, *TINY]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Wrote runs/digits-tiny"
    files = {path.name for path in (place / "runs" / "digits-tiny").iterdir()}
    assert files >= CHECKPOINT | REPORT | {"best.ckpt", "last.ckpt", "log"}
    assert not [name for name in files if name.startswith(".")]


def test_a_rehearsal_writes_nothing(recipe, place, capsys):
    assert main(["fit", "--config", recipe, *TINY, "--trainer.fast_dev_run=true"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "With fast_dev_run, nothing is written."
    assert not list(place.iterdir())


def test_runs_are_never_written_over(recipe, place):
    for _ in range(2):
        assert main(["fit", "--config", recipe, *TINY]) == 0
    assert {path.name for path in (place / "runs").iterdir()} == {"digits-tiny", "digits-tiny-2"}


def test_the_best_weights_are_measured_and_kept(trained):
    kept = load_file(trained / "model.safetensors")
    best = torch.load(trained / "best.ckpt", weights_only=True)
    for name, average in best["state_dict"].items():
        assert torch.equal(kept[name.removeprefix("network.")], average)
    head = "network.head.weight"
    assert not torch.equal(best["state_dict"][head], best["current_model_state"][head])


def test_defenses_are_calibrated_with_the_best_weights_on_training_and_validation_images(
    recipe, place, monkeypatch
):
    seen = []

    def calibrate(model, batches, held_out):
        counts = [sum(len(x) for x, _ in part) for part in (batches, held_out)]
        seen.append((counts, model.state_dict()["network.head.weight"].clone()))

    monkeypatch.setattr(RobustClassifier, "calibrate", calibrate)
    assert main(["fit", "--config", recipe, *TINY]) == 0
    ((counts, weight),) = seen
    assert 64 < counts[0] <= 2 * 64  # the trainer is limited to two batches
    assert counts[1] == len(Digits().validation_set)
    assert torch.equal(weight, load_file("runs/digits-tiny/model.safetensors")["head.weight"])


def test_constants_of_a_network_are_judged_as_they_will_be_loaded(place, monkeypatch):
    """The mean of weights averages buffers, too, and rounds those that never change."""
    saved = []
    monkeypatch.setattr(checkpoint, "save", lambda folder, network, recipe: saved.append(network))
    with pytest.raises(FileNotFoundError):  # of what was not saved
        main(["fit", "--config", str(RECIPES / "digits" / "scattering.yaml"), *TINY, "--out=run"])
    (wavelets,) = (module for module in saved[0].modules() if isinstance(module, Scattering))
    fresh = Scattering(wavelets.psi.shape[2:], *wavelets.psi.shape[:2])
    assert torch.equal(wavelets.psi, fresh.psi)
    assert torch.equal(wavelets.phi, fresh.phi)


def test_the_written_recipe_trains_again(trained, place):
    assert main(["fit", "--config", str(trained / "recipe.yaml"), *TINY[:1], "--out=again"]) == 0
    again, first = (json.loads((f / "results.json").read_text()) for f in (place / "again", trained))
    assert again["clean_accuracy"] == first["clean_accuracy"]
    assert again["regimes"] == first["regimes"]


def test_a_second_recipe_exchanges_the_suite_and_nothing_else(recipe, capsys):
    alone = printed(capsys, "--config", recipe)
    natural = str(RECIPES / "evaluation" / "natural.yaml")
    both = printed(capsys, "--config", recipe, "--config", natural, "--robustness.regimes.pgd.steps=100")
    suite = both.pop("robustness")["regimes"]
    assert suite["pgd"]["init_args"]["eps"] == pytest.approx(4 / 255)
    assert suite["pgd"]["init_args"]["steps"] == 100
    assert list(suite) == list(read(natural)["robustness"]["regimes"])
    assert both == {key: value for key, value in alone.items() if key != "robustness"}


def test_options_win_wherever_they_stand(recipe, capsys):
    options = ("--model.network=LeNet", "--robustness.regimes.pgd.eps=8/255", "--seed_everything", "7")
    recipe = printed(capsys, *options, "--config", recipe, "--trainer.devices=2")
    assert recipe["model"]["network"]["class_path"].endswith("LeNet")
    assert recipe["robustness"]["regimes"]["pgd"]["init_args"]["eps"] == pytest.approx(8 / 255)
    assert recipe["seed_everything"] == 7
    assert recipe["trainer"]["devices"] == "2"


@pytest.mark.parametrize(("name", "decay"), [("SGD", 0), ("Adam", 0), ("AdamW", 0.01)])
def test_an_optimizer_has_its_own_defaults_and_no_other_s(variant, capsys, name, decay):
    recipe = variant("class_path: AdamW", f"class_path: {name}")
    assert printed(capsys, "--config", recipe)["model"]["optimizer"]["init_args"]["weight_decay"] == decay


def test_training_starts_from_a_checkpoint(recipe, trained, place):
    still = (
        "--model.optimizer=SGD",
        "--model.optimizer.lr=0",
        "--model.scheduler=null",
        "--trainer.callbacks=null",
    )
    argv = ["fit", "--config", recipe, *TINY, *still, f"--from={trained}", "--out=tuned"]
    assert main(argv) == 0
    before, after = (load_file(f / "model.safetensors") for f in (trained, place / "tuned"))
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_defense_is_put_around_the_weights_of_another_training(recipe, trained, place):
    argv = ["fit", "--config", recipe, *TINY, "--trainer.callbacks=null", f"--from={trained}", "--out=tuned"]
    head = {"layer": "head", "in_shape": [1, 8, 8], "freeze": True, "steps": 1}
    defenses = json.dumps([{"class_path": "DetectorHead", "init_args": head}])
    assert main([*argv, f"--model.defenses={defenses}"]) == 0
    before, after = (load_file(f / "model.safetensors") for f in (trained, place / "tuned"))
    assert all(torch.equal(before[name], after[f"network.{name}"]) for name in before)
    assert checkpoint.load(place / "tuned")(torch.rand(1, 1, 8, 8)).shape == (1, 11)


@pytest.mark.parametrize("same", [(), ("--out=cut",)], ids=["without out", "with out"])
def test_a_run_that_was_cut_short_goes_on_in_its_folder(recipe, place, capsys, monkeypatch, same):
    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "save", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt()))
        assert main(["fit", "--config", recipe, *TINY, "--out=cut"]) == 130
    assert "Go on with --ckpt_path=cut/last.ckpt." in capsys.readouterr().err
    more = ("--trainer.max_epochs=2", "--ckpt_path=cut/last.ckpt", *same)
    assert main(["fit", "--config", recipe, *TINY, *more]) == 0
    assert {path.name for path in (place / "cut").iterdir()} >= CHECKPOINT | {"log", "log-2"}
    assert torch.load(place / "cut" / "last.ckpt", weights_only=True)["global_step"] == 4


def test_a_finished_run_is_continued_elsewhere(recipe, trained, place):
    more = ("--trainer.max_epochs=2", f"--ckpt_path={trained}/last.ckpt")
    before = (trained / "last.ckpt").stat().st_mtime_ns
    assert main(["fit", "--config", recipe, *TINY, *more]) == 0
    assert (place / "runs" / "digits-tiny" / "results.json").exists()
    assert (trained / "last.ckpt").stat().st_mtime_ns == before


@pytest.mark.parametrize("command", ["validate", "test"])
@pytest.mark.parametrize("option", ["--from={}", "--ckpt_path={}/best.ckpt"])
def test_measuring_prints_a_table_and_writes_nothing(recipe, trained, place, capsys, command, option):
    assert main([command, "--config", recipe, *TINY, option.format(trained)]) == 0
    out = capsys.readouterr().out
    assert "fgsm" in out
    assert "pgd" not in out
    assert not list(place.iterdir())


def test_checkpoints_are_not_fetched_from_the_network(recipe, capsys):
    assert main(["test", "--config", recipe, "--ckpt_path=https://example.org/a.ckpt"]) == 2
    assert "download it" in capsys.readouterr().err
