from types import SimpleNamespace

import pytest

from robust_train.cli.starting import check_schedule, check_start, unfinished
from robust_train.errors import UserError


def start(**paths):
    config = {"ckpt_path": None, "from": None, **paths}

    class Config(dict):
        ckpt_path = config["ckpt_path"]

    return Config(config)


def test_measuring_needs_weights():
    check_start(start(), needed=False)
    with pytest.raises(UserError, match="Random weights"):
        check_start(start(), needed=True)


@pytest.mark.parametrize("path", ["http://a/b.ckpt", "s3://a/b.ckpt", "nowhere.ckpt"])
def test_what_is_not_a_file_is_refused(path):
    with pytest.raises(UserError):
        check_start(start(ckpt_path=path), needed=False)


def test_only_runs_without_results_go_on_in_place(place):
    (place / "run" / "log").mkdir(parents=True)
    assert unfinished("run/last.ckpt") is None
    (place / "run" / "log" / "metrics.csv").touch()
    assert unfinished("run/last.ckpt") == (place / "run").relative_to(place)
    assert unfinished("run/last.ckpt", out=f"{place}/run") == (place / "run").relative_to(place)
    assert unfinished("run/last.ckpt", out="other") is None
    (place / "run" / "results.json").touch()
    assert unfinished("run/last.ckpt") is None
    assert unfinished("last.ckpt") is None
    assert unfinished(None) is None


def test_a_folder_that_is_no_run_is_not_written_into(place):
    (place / "logs").mkdir()
    (place / "logs" / "metrics.csv").touch()
    (place / "README.md").touch()
    assert unfinished("my.ckpt") is None


@pytest.mark.parametrize("word", ["best", "last", "hpc"])
def test_a_word_of_lightning_is_no_file(place, word):
    with pytest.raises(UserError, match=f"runs/NAME/{word}.ckpt"):
        check_start(start(ckpt_path=word), needed=False)


def training(interval, steps):
    scheduler = SimpleNamespace(init_args={"total_steps": steps})
    model = SimpleNamespace(scheduler=scheduler, interval=interval)
    return SimpleNamespace(model=model, trainer=SimpleNamespace(max_epochs=6))


def test_a_schedule_must_last_as_long_as_the_training():
    check_schedule(training("epoch", 6))
    check_schedule(training("step", 5))
    with pytest.raises(UserError, match="total_steps=6"):
        check_schedule(training("epoch", 5))
