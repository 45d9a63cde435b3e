"""Who is done leaves, and everybody's place is remembered."""

import torch

from robust_train.attacking.dropping import Standing
from robust_train.randomness import Streams
from robust_train.types import Goal


def test_places_follow_through_several_departures():
    standing, names = Standing(16), torch.arange(16)
    for departed in ([0, 5, 6], [1, 2, 3], [9], list(range(16))):
        done = torch.isin(names, torch.tensor(departed))
        (names,) = standing.drop(done, names)
        assert torch.equal(names, standing.rows)
    assert len(standing) == 0


def test_few_departures_wait_for_company():
    standing, state = Standing(64), torch.arange(64)
    (same,) = standing.drop(torch.arange(64) < 1, state)
    assert same is state
    (fewer,) = standing.drop(torch.arange(64) < 2, state)
    assert fewer.tolist() == list(range(2, 64))


def test_records_streams_and_constants_travel_along():
    standing = Standing(4)
    done = torch.tensor([True, False, True, False])
    goal, rng, eps = standing.drop(done, Goal(torch.arange(4)), Streams.of(0, range(4)), 0.5)
    assert goal.labels.tolist() == [1, 3]
    assert rng.index.tolist() == [1, 3]
    assert eps == 0.5


def test_an_empty_batch_stays_empty():
    standing = Standing(0)
    (state,) = standing.drop(torch.zeros(0, dtype=torch.bool), torch.zeros(0, 2))
    assert (len(standing), state.shape) == (0, (0, 2))
