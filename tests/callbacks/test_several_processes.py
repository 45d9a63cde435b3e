import os
import subprocess
import sys
from pathlib import Path

import robust_train


def test_ddp_counts_exactly_trains_the_same_and_draws_no_warning():
    """21 samples on 2 processes: test, fit, a checkpoint, and a stream that one sees nothing of."""
    script = Path(__file__).with_name("several_processes.py")
    environment = {**os.environ, "PYTHONPATH": str(Path(robust_train.__file__).parents[1])}
    ran = subprocess.run([sys.executable, script, "2"], capture_output=True, text=True, env=environment)
    assert ran.returncode == 0, ran.stderr
