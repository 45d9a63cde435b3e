"""Ten wrong uses: one sentence each that names the cure, no traceback, nothing written."""

import shutil

import pytest

from robust_train.__main__ import main
from tests.cli.conftest import TINY


@pytest.fixture
def refused(capsys, place):
    """Run a command that must fail; its one line."""

    def run(*argv, status):
        before = set(place.rglob("*"))
        assert main(list(argv)) == status
        error = capsys.readouterr().err.splitlines()
        assert len(error) == 1
        assert {p for p in place.rglob("*") if p.suffix not in ("", ".pyc")} <= before
        return error[0]

    return run


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("width: 16", "widht: 16", "model.network.widht: SmallCNN has no field widht. Did you mean width?"),
        ("trainer:", "trianer:", "Did you mean trainer?"),
        ("SmallCNN", "SmalCNN", "Did you mean SmallCNN?"),
        ("deepfool: DeepFool", "deepfool: DepFool", "robustness.regimes.deepfool: There is no"),
        ("width: 16", "width: four", "model.network.width must be a whole number, not 'four'."),
        ("norm: linf", "norm: linff", "Did you mean linf?"),
        ("max_epochs: 30", "max_epochs: 40", "--model.scheduler.total_steps=40"),
        ("trainer:", "data: Digits\ntrainer:", "the key data is given twice"),
        ("trainer:", "trainer: {", "line"),
        (
            "max_epochs: 30",
            "logger: {class_path: WandbLogger, init_args: {api_key: x}}",
            "looks like a secret",
        ),
        ("SmallCNN", "os.system", "--allow-code os"),
        (
            "{pgd: {class_path: PGD, init_args: {steps: 2}}}",
            "{pgd: {class_path: PGD, init_args: {eps: -1}}}",
            "PGD: eps must be at least 0, not -1.0.",
        ),
        ("max_epochs: 30", "max_epochs: -3", "max_epochs"),
        ("max_epochs: 30", "gradient_clip_algorithm: none", "gradient_clip_algorithm"),
    ],
)
def test_wrong_recipes(refused, variant, old, new, words):
    assert words in refused("fit", "--config", variant(old, new), status=2)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--trainer.max_epoch=3", "Did you mean max_epochs?"),
        ("--model.network.width=four", "must be a whole number"),
        ("--robustness.regimes.pdg.steps=3", "Did you mean pgd?"),
        ("--modle.seed=3", "Did you mean --model.seed?"),
        ("--max_epochs=3", "Did you mean --trainer.max_epochs?"),
        ("mine.yaml", "a recipe is named by --config."),
        ("--model.interval=batch", "one of epoch, step"),
        ("--ckpt_path=last", "runs/NAME/last.ckpt"),
        ("--model.network=LeNett", "Did you mean LeNet?"),
        ("--robustness.on=[validate]", "figures of a run are of the test images"),
    ],
)
def test_wrong_options(refused, variant, option, words):
    assert words in refused("fit", "--config", variant(), *TINY, option, status=2)


def test_a_missing_file(refused, variant):
    assert "Did you mean changed.yaml?" in refused("fit", "--config", variant()[:-6] + "ed.yaml", status=2)


def test_nothing_to_train(refused):
    assert "The recipe lacks model.network" in refused("fit", status=2)


def test_a_missing_data_set(refused, variant):
    recipe = variant("class_path: Digits, init_args: {batch_size: 64}", "class_path: CIFAR10")
    assert "--data.download=true" in refused("fit", "--config", recipe, *TINY, status=1)


def test_a_wrong_channel_count(refused, variant):
    assert "expected images (N, 3, 8, 8)" in refused(
        "fit", "--config", variant("in_shape: [1,", "in_shape: [3,"), *TINY, status=1
    )


def test_an_eps_of_8(refused, variant):
    assert "such as 8/255" in refused("fit", "--config", variant("eps: 0.15, steps: 40", "eps: 8"), status=1)


def test_a_folder_that_cannot_be_written(refused, variant, place):
    recipe = variant()
    assert "cannot be written" in refused("fit", "--config", recipe, *TINY, f"--out={recipe}/run", status=1)
    assert "no run is written over" in refused("fit", "--config", recipe, *TINY, f"--out={place}", status=1)


NETWORK = "class_path: SmallCNN, init_args: {in_shape: [1, 8, 8], width: 16}"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (NETWORK, "class_path: mine.Nan", "returns NaN"),
        ("class_path: Digits", "class_path: mine.MoreLabels", "none of the network's 10 classes"),
    ],
)
def test_data_and_networks_that_do_not_work(refused, variant, mine, old, new, words):
    assert words in refused("fit", "--config", variant(old, new), "--allow-code", mine, *TINY, status=1)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--robustness.draws=4", "no Noise in it"),
        (
            "--robustness.regimes={s: {class_path: Semirandom, init_args: {dimension: 100}}}",
            "at most 64 here",
        ),
    ],
)
def test_suites_that_do_not_fit_are_told_before_the_training(refused, variant, option, words):
    assert words in refused("fit", "--config", variant(), *TINY, option, status=1)


@pytest.mark.parametrize("damage", [lambda b: b[:1000], lambda b: b"", lambda b: b[:-1] + b"x"])
def test_a_corrupt_checkpoint(refused, trained, place, damage):
    folder = shutil.copytree(trained, place / "damaged")
    weights = folder / "model.safetensors"
    weights.write_bytes(damage(weights.read_bytes()))
    assert "is damaged" in refused("evaluate", str(folder), status=1)
    ckpt = place / "damaged.ckpt"
    ckpt.write_bytes(damage((trained / "last.ckpt").read_bytes())[:1000])
    assert "is damaged" in refused(
        "test", "--config", str(trained / "recipe.yaml"), f"--ckpt_path={ckpt}", status=1
    )


def test_random_weights(refused, variant):
    assert "Random weights" in refused("test", "--config", variant(), status=2)
    network = ("--network", "SmallCNN", "--data", "Digits")
    assert "--random-weights" in refused("evaluate", *network, status=2)
