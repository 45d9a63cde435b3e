"""Draws are known by seed, layer and number, and nothing else moves or is moved."""

import pytest
import torch

from robust_train.networks import Noise
from robust_train.networks.noise import drawn
from robust_train.randomness import Streams


def sample(noise, x, draw=0):
    with drawn(noise, draw):
        return noise(x)


def test_a_draw_is_shared_by_all_rows_and_known_by_its_number():
    noise, x = Noise(0.5).eval(), torch.zeros(4, 2, 3)
    first = sample(noise, x, 7)
    assert torch.equal(first, first[:1].expand(4, 2, 3))
    assert torch.equal(sample(Noise(0.5).eval(), x[:1], 7), first[:1])
    assert torch.equal(noise(x), sample(noise, x, 0))
    others = (sample(noise, x, 8), sample(Noise(0.5, 1).eval(), x, 7), sample(Noise(0.5, 0, 1).eval(), x, 7))
    assert all((first != other).all() for other in others)


@pytest.mark.parametrize("layer", [0, 1, 5])
def test_no_layer_draws_what_a_sample_draws(layer):
    noise, x = Noise(1.0, layer).eval(), torch.zeros(1, 100)
    samples = Streams.of(0, range(8)).normal((100,))
    assert ((sample(noise, x) - samples).abs().amax(1) > 0.5).all()


def test_its_law_is_the_normal_one():
    draws = torch.stack([sample(Noise(2.0).eval(), torch.zeros(1, 1000), t) for t in range(20)])
    assert draws.mean().abs() < 0.1
    assert (draws.std() - 2).abs() < 0.05
    assert torch.corrcoef(draws[:, 0]).fill_diagonal_(0).abs().max() < 0.2


def test_training_draws_for_each_row_and_pass_and_is_repeated_from_what_is_saved():
    noise, x = Noise(1.0).train(), torch.zeros(4, 3)
    state, random = noise.state_dict(), torch.get_rng_state()
    state = {name: value.clone() for name, value in state.items()}
    first, second = noise(x), noise(x)
    assert (first != second).all()
    assert (first[0] != first[1]).all()
    assert torch.equal(torch.get_rng_state(), random)
    noise.load_state_dict(state)
    assert torch.equal(noise(x), first)
    before = int(noise.count)
    noise.eval()(x)
    assert int(noise.count) == before


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_precision_is_that_of_the_input(dtype):
    assert Noise(0.1).eval()(torch.zeros(1, 3, dtype=dtype)).dtype == dtype


def test_each_layer_gets_its_own_draw_back_also_when_it_raises():
    network = torch.nn.Sequential(Noise(0.1, 0), Noise(0.1, 1))
    network[1].draw = 5
    with pytest.raises(FloatingPointError), drawn(network, 3):
        raise FloatingPointError
    assert [noise.draw for noise in network] == [0, 5]


def test_a_negative_standard_deviation_is_refused():
    with pytest.raises(ValueError, match=r"^Noise: sigma must be at least 0, not -1\.$"):
        Noise(-1)
