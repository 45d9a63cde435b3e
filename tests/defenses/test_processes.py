"""Defenses on several processes."""

import os
import subprocess
import sys
from pathlib import Path

import robust_train


def test_what_is_learnt_from_a_batch_is_learnt_from_all_of_its_parts():
    root = Path(robust_train.__file__).parents[1]
    ran = subprocess.run(
        [sys.executable, "-m", "tests.defenses.several_processes"],
        capture_output=True, text=True, cwd=root, env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
