import os
import sys

import pytest
from pytorch_lightning.loggers import CSVLogger

from robust_train.__main__ import main
from robust_train.cli.loggers import keep_wandb_offline, with_csv
from robust_train.errors import UserError
from tests.cli.conftest import TINY

ONLINE = [{"trainer": {"logger": {"class_path": "WandbLogger", "init_args": {"offline": False}}}}]


@pytest.mark.parametrize("given", [None, True, CSVLogger("elsewhere"), [CSVLogger("elsewhere")]])
def test_a_csv_log_is_always_kept(place, given):
    assert with_csv(given, place)[0].log_dir == f"{place}/log/"
    (place / "log").mkdir()
    assert with_csv(given, place)[0].log_dir == f"{place}/log-2/"


def test_no_logger_means_none(place):
    assert with_csv(False, place) is False


def test_tensorboard_writes_into_the_run(place, variant):
    recipe = variant("max_epochs: 30", "logger: TensorBoardLogger")
    assert main(["fit", "--config", recipe, *TINY, "--out=run"]) == 0
    assert list((place / "run").rglob("events.out.tfevents*"))


def test_wandb_is_offline_unless_asked():
    keep_wandb_offline([], [])
    assert os.environ["WANDB_MODE"] == "offline"


@pytest.mark.parametrize("recipes", [[], ONLINE])
def test_wandb_without_an_account_is_refused_at_once(recipes, monkeypatch):
    class Wandb:
        @staticmethod
        def login(prompt):
            assert not prompt

    monkeypatch.setitem(sys.modules, "wandb", Wandb)
    monkeypatch.setitem(os.environ, "WANDB_MODE", "online")
    with pytest.raises(UserError, match="wandb login"):
        keep_wandb_offline(recipes, ["--trainer.logger=WandbLogger"])


@pytest.mark.slow
def test_wandb_writes_into_the_run(place, variant):
    recipe = variant("max_epochs: 30", "logger: {class_path: WandbLogger, init_args: {project: p}}")
    assert main(["fit", "--config", recipe, *TINY, "--out=run"]) == 0
    assert list((place / "run" / "wandb").glob("offline-run-*"))
