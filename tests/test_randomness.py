"""Streams belong to samples: no draw depends on order, batch-mates or device."""

import numpy as np
import pytest
import torch
from scipy.stats import kstest

from robust_train.randomness import Streams

both = pytest.mark.parametrize("law", ["uniform", "normal"])


def draw(streams, law, shape=(4,)):
    return getattr(streams, law)(shape)


@both
def test_neither_order_nor_batch_matters(law):
    whole = draw(Streams.of(5, range(20)), law)
    order = torch.randperm(20)
    assert torch.equal(draw(Streams.of(5, order), law), whole[order])
    assert torch.equal(draw(Streams.of(5, [13]), law)[0], whole[13])
    rows = torch.tensor([7, 2, 2])
    assert torch.equal(draw(Streams.of(5, range(20)).take(rows), law), whole[rows])


@both
def test_drawing_twice_gives_the_same_and_folding_does_not(law):
    streams = Streams.of(0, range(3))
    before = torch.get_rng_state()
    assert torch.equal(draw(streams, law), draw(streams, law))
    assert not torch.equal(draw(streams, law), draw(streams.fold(0), law))
    assert torch.equal(torch.get_rng_state(), before)


def test_restarts_are_stacked_and_the_first_one_is_the_stream_itself():
    streams = Streams.of(2, [3, 8])
    stacked = streams.repeat(3).uniform((5,))
    assert len(streams.repeat(3)) == 6
    assert torch.equal(stacked[:2], streams.uniform((5,)))
    assert len(set(stacked[:, 0].tolist())) == 6
    assert torch.equal(stacked, streams.repeat(7).uniform((5,))[:6])


def test_all_addresses_are_independent():
    """Seed, sample, restart and chains of folds: every pair of streams is uncorrelated."""
    base = Streams.of(0, [0, 1, 2**40])
    streams = [base, Streams.of(1, [0, 1]), Streams.of(-1, [0]), Streams.of(2**63, [0])]
    streams += [base.repeat(2).take(torch.tensor([3, 4, 5]))]
    streams += [base.fold(0), base.fold(1), base.fold(0).fold(0), base.fold(0).fold(1), base.fold(1).fold(0)]
    draws = torch.cat([s.normal((4000,)) for s in streams]).numpy()
    correlation = np.corrcoef(draws) - np.eye(len(draws))
    assert len(draws) > 20
    assert np.abs(correlation).max() < 5 / 4000**0.5


def test_the_laws():
    streams = Streams.of(0, range(500))
    uniform, normal = streams.uniform((10,)), streams.normal((10,))
    assert kstest(uniform.flatten().double(), "uniform").pvalue > 0.01
    assert kstest(normal.flatten().double(), "norm").pvalue > 0.01
    assert uniform.min() >= 0
    assert uniform.max() < 1


def test_shapes_and_precision_follow_the_tensor():
    streams, like = Streams.of(0, range(3)), torch.zeros(1, dtype=torch.float64)
    assert streams.uniform((), like).shape == (3,)
    assert streams.uniform((2, 5), like).dtype == torch.float64
    # The same start in either precision.
    assert torch.equal(streams.normal((7,), like).float(), streams.normal((7,)))
    assert Streams.of(0, []).normal((2,)).shape == (0, 2)


def test_the_numbers_stay_what_they_are():
    """Results on record can be repeated only as long as these do not change."""
    found = Streams.of(0, [7]).fold(3).uniform((3,))[0].tolist()
    assert found == pytest.approx([0.2733424, 0.3281994, 0.4151102], abs=1e-6)
