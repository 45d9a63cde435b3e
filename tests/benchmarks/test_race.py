from itertools import count
from statistics import median

import pytest
import torch

from . import race as module
from .race import BATCH, Lap, Laps, race
from .scoring import Score


@pytest.fixture
def images():
    return torch.rand(BATCH + 2, 1, 2, 2), torch.zeros(BATCH + 2, dtype=torch.int64)


def _one_pass(network, x, y, rng):
    x = x.requires_grad_()
    network(x).sum().backward()
    return x.detach()


def _judge(found):
    return Score(len(found), 0, 0.0)


def test_every_repetition_runs_all_images_and_counts_their_passes(images):
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 3))
    laps = race({"one": _one_pass, "two": _one_pass}, network, *images, _judge, repetitions=3)["two"]
    assert [(lap.forwards, lap.backwards) for lap in laps.laps] == [(BATCH + 2, BATCH + 2)] * 3
    assert laps.standing == BATCH + 2


def test_what_is_far_slower_runs_once(images, monkeypatch):
    clock = count()
    monkeypatch.setattr(module, "process_time", lambda: next(clock))

    def slow(network, x, y, rng):
        for _ in range(9):
            next(clock)
        return x

    quick = dict.fromkeys(("torchattacks", "ours"), lambda f, x, y, rng: x)
    laps = race({"foolbox": slow, **quick}, torch.nn.Flatten(), *images, _judge, repetitions=3)
    assert {name: len(one.laps) for name, one in laps.items()} == {"foolbox": 1, "torchattacks": 3, "ours": 3}


def test_times_are_compared_turn_by_turn():
    def laps(*turns):
        return Laps([Lap(list(seconds), 0.0, 0, 0, Score(0, 0, 0.0)) for seconds in turns])

    assert laps((1, 20), (3, 3)).time_over(laps((2, 10), (3, 1))) == median((0.5, 2.0, 1.0, 3.0))
    assert laps((4, 1)).time_over(laps((2, 1), (3, 9))) == median((2.0, 1.0)), "the other ran once more"
