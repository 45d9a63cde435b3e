"""Whole processes: what only shows outside of the one that tests run in."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from tests.cli.conftest import TINY

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "robust_train"]


@pytest.fixture
def environment():
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


@pytest.mark.slow
def test_two_processes_write_one_folder(recipe, place, environment):
    argv = [*COMMAND, "fit", "--config", recipe, *TINY, "--robustness.limit=450", "--trainer.devices=2"]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.splitlines()[-1] == "Wrote runs/digits-tiny"
    assert [path.name for path in (place / "runs").iterdir()] == ["digits-tiny"]
    results = json.loads((place / "runs" / "digits-tiny" / "results.json").read_text())
    assert results["clean_accuracy"]["n"] == 450


@pytest.mark.slow
def test_an_interrupt_ends_in_one_line_and_can_be_resumed(recipe, place, environment):
    # Without end, so that the interrupt always comes before it.
    long = [*COMMAND, "fit", "--config", recipe, *TINY, "--trainer.max_epochs=-1", "--model.scheduler=null"]
    # A test run in the background may have been told to ignore interrupts, which children inherit.
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        long, env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=heard
    ) as running:
        last = place / "runs" / "digits-tiny" / "last.ckpt"
        deadline = time.monotonic() + 120
        while not last.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        error = running.communicate(timeout=60)[1]
    assert running.returncode == 130, error
    assert error.splitlines()[-1].endswith("Interrupted. Go on with --ckpt_path=runs/digits-tiny/last.ckpt.")
    assert "Traceback" not in error
