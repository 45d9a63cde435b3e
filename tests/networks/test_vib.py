"""What is drawn, when, and what the decoder sees."""

import pytest
import torch

from robust_train.networks import VIB, Expectation
from robust_train.networks.noise import drawn


def network(**fields):
    torch.manual_seed(0)
    return VIB(in_shape=(1, 4, 4), hidden=[12], code=5, classes=3, **fields)


def test_the_mean_is_decoded_unless_draws_are_asked_for():
    x = torch.rand(4, 1, 4, 4)
    mean, draws = network().eval(), network(decoding="draws").eval()
    mu, rho = mean.statistics(mean.features(mean.normalize(x))).chunk(2, 1)
    torch.testing.assert_close(mean(x), mean.head(mu))
    with drawn(draws, 3):
        e = draws.bottleneck.noise.normal(mu)
        torch.testing.assert_close(draws(x), draws.head(mu + torch.nn.functional.softplus(rho - 5) * e))
        assert not torch.equal(draws(x), mean(x))
    with drawn(mean, 3):
        torch.testing.assert_close(mean(x), mean.head(mu))


def test_training_draws_a_code_for_each_image():
    model, x = network().train(), torch.rand(1, 1, 4, 4).expand(6, 1, 4, 4)
    model.statistics.bias.data[5:] = 8.0
    z = model(x)
    assert len({tuple(row.tolist()) for row in z}) == 6
    assert not torch.equal(model(x), z)


def test_many_draws_come_to_their_mean():
    model, x = network(decoding="draws").eval(), torch.rand(4, 1, 4, 4)
    few, many = (Expectation(model, draws, first=1)(x).exp() for draws in (400, 2000))
    torch.testing.assert_close(few, many, atol=2e-3, rtol=0)


def test_another_decoding_is_refused():
    with pytest.raises(ValueError, match=r"^Bottleneck: decoding must be mean or draws, not sample\.$"):
        network(decoding="sample")
