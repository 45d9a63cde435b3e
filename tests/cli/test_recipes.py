"""Every recipe is parsed, and runs for a few steps where its data is there."""

import json

import pytest
import yaml

from robust_train.__main__ import main
from tests.cli.conftest import RECIPES, TINY

STUDIES = sorted(RECIPES.glob("studies/*.yaml"))
ALL = sorted(set(RECIPES.glob("*/*.yaml")) - set(STUDIES))
TRAININGS = [path for path in ALL if path.parent.name != "evaluation"]


def name(path):
    return f"{path.parent.name}-{path.stem}"


def slow(path):
    return pytest.param(path, marks=[pytest.mark.slow] if path.parent.name == "cifar10" else [])


@pytest.mark.parametrize("path", [*ALL, *STUDIES], ids=name)
def test_it_is_short_and_says_what_it_is(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= 40 or path.stem == "full"
    assert lines[0].startswith("# ")


@pytest.mark.parametrize("path", ALL, ids=name)
def test_it_is_parsed(path, recipe, capsys):
    first = () if path in TRAININGS else ("--config", recipe)
    assert main(["fit", *first, "--config", str(path), "--print_config"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["robustness"]["regimes"]


@pytest.mark.filterwarnings("ignore:UncertaintyDetector. no held-out")  # after two steps
@pytest.mark.parametrize("path", [slow(path) for path in TRAININGS], ids=name)
def test_it_runs(path, place, request):
    at_hand = path.parent.name in ("digits", "combined", "rgbd_shapes")
    data = () if at_hand else (f"--data.root={request.getfixturevalue('data_root')}",)
    small = (
        "--data.batch_size=4",
        "--data.workers=0",
        "--trainer.limit_val_batches=1",
        "--robustness.limit=4",
    )
    small = small if data else ()
    callbacks = ("--trainer.callbacks=null",) if data else ()  # each would measure a thousand images
    (place / "checkpoints").symlink_to(RECIPES.parent / "checkpoints")  # from which some of them start
    assert main(["fit", "--config", str(path), *TINY, *data, *small, *callbacks, "--out=run"]) == 0
    assert json.loads((place / "run" / "results.json").read_text())["clean_accuracy"]["n"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("suite", ["standard", "full"])
def test_a_suite_measures_a_few_images(suite, trained, place):
    assert main(["evaluate", str(trained), "--suite", suite, "--limit=8", "--out=run", "--device=cpu"]) == 0
    regimes = json.loads((place / "run" / "results.json").read_text())["regimes"]
    assert len(regimes) > 10


@pytest.mark.slow
@pytest.mark.parametrize("path", STUDIES, ids=name)
def test_a_study_asks_about_a_few_images(path, trained, place):
    detectors = {"detection": "uncertainty", "recovery": "curvature_detector"}
    if path.stem in detectors:  # of a network that flags inputs
        detector = str(RECIPES / "digits" / f"{detectors[path.stem]}.yaml")
        assert main(["fit", "--config", detector, *TINY, "--trainer.callbacks=null", "--out=pair"]) == 0
        trained = place / "pair"
    assert main(["study", str(trained), "--config", str(path), "--limit=8", "--out=run", "--device=cpu"]) == 0
    assert json.loads((place / "run" / "studies.json").read_text())
