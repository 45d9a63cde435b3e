"""Evaluates in one process, then in several at once, and compares: to be run, not collected."""

import signal
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed
from torch.multiprocessing import start_processes

from robust_train.evaluation import evaluate
from robust_train.perturbations import PGD, DeepFool, RandomDirection, UniversalGradient
from tests.perturbations.examples import EVERY, name
from tests.toy_networks import convolutional

LIMIT = 300  # seconds, after which a process that waits for another ends itself
FEW = {
    "pgd": PGD(eps=0.1, steps=5),
    "deepfool": DeepFool(),
    "direction": RandomDirection(),
    "universal": UniversalGradient(eps=0.2, steps=3, batch_size=2),
}
SUITES = {"few": FEW, "every": {f"{k} {name(example)}": example for k, example in enumerate(EVERY)}}


def problem(samples):
    torch.manual_seed(0)
    network, images = convolutional(), torch.rand(samples, 1, 8, 8)
    return network, [(image, i % 3) for i, image in enumerate(images)]


def assert_same_bits(one, other):
    assert one.clean_accuracy == other.clean_accuracy
    assert one.settings == other.settings
    assert torch.equal(one.example_index, other.example_index)
    for key, regime in one.regimes.items():
        found = other.regimes[key]
        assert regime.metrics == found.metrics
        assert (regime.forwards, regime.backwards) == (found.forwards, found.backwards)
        assert torch.equal(regime.examples, found.examples)
        for field in set(regime.outcome.__dataclass_fields__) - {"reject"}:
            assert torch.equal(getattr(regime.outcome, field), getattr(found.outcome, field)), (key, field)


def rank(number, world, folder, suite):
    signal.alarm(LIMIT)
    torch.set_num_threads(1)
    ready = {key: one for key, one in SUITES[suite].items() if one.fitted}
    learning = {key: one for key, one in SUITES[suite].items() if not one.fitted}
    cases = [(21, 4), (3, 128)]  # no multiple of the processes; processes without a block
    alone, learnt = (
        [evaluate(*problem(samples), suite, block=block, progress=False) for samples, block in cases]
        for suite in (ready, learning)
    )
    distributed.init_process_group(
        "gloo", f"file://{folder}/{world}", timedelta(seconds=LIMIT), rank=number, world_size=world
    )
    for (samples, block), expected in zip(cases, alone, strict=True):
        results = evaluate(*problem(samples), ready, block=block, progress=False)
        assert results.clean_accuracy.n == samples
        assert all(found.outcome.index.tolist() == list(range(samples)) for found in results.regimes.values())
        assert_same_bits(expected, results)
    for (samples, block), expected in zip(cases, learnt, strict=True):
        assert_same_bits(expected, evaluate(*problem(samples), learning, block=block, progress=False))
    distributed.destroy_process_group()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for world in map(int, sys.argv[2:]):
            start_processes(rank, (world, Path(folder), sys.argv[1]), nprocs=world, start_method="fork")
            print(f"{world} processes agree with one")
