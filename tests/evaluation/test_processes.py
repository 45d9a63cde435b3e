import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import robust_train
from robust_train.evaluation.processes import by_index, gather, rank_and_world


def agree(suite, *worlds):
    script = Path(__file__).with_name("several_processes.py")
    environment = {**os.environ, "PYTHONPATH": str(Path(robust_train.__file__).parents[1])}
    command = [sys.executable, script, suite, *map(str, worlds)]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "".join(f"{world} processes agree with one\n" for world in worlds)


def test_several_processes_find_what_one_finds():
    """21 samples in blocks of 4 and 3 in one block, on 2 and 3 processes, to the bit."""
    agree("few", 2, 3)


@pytest.mark.slow
def test_several_processes_find_what_one_finds_with_every_perturbation():
    agree("every", 2)


def test_a_program_without_processes_is_alone():
    assert rank_and_world() == (0, 1)
    assert gather(["mine"]) == ["mine"]


def test_padding_of_a_sampler_counts_once():
    index, values = by_index(torch.tensor([2, 0, 1, 0]), torch.tensor([20.0, 0.0, 10.0, 99.0]))
    assert index.tolist() == [0, 1, 2]
    assert values.tolist() == [0.0, 10.0, 20.0]
