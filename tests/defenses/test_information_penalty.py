"""The divergence in closed form against Monte Carlo, and against torch's own."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from robust_train import VIB, InformationPenalty, RobustClassifier
from robust_train.networks.bottleneck import Bottleneck
from tests.defenses.examples import make_step
from tests.toy_networks import linear


def divergences(model, step, beta=1.0):
    defense = InformationPenalty(beta)
    after = RobustClassifier(model, [defense])._forward(step)
    (one,) = after.activations
    mu, sigma = Bottleneck.moments(one.inputs)
    return defense.loss(model, after, torch.zeros(len(step.inputs))), mu.detach(), sigma.detach()


@pytest.fixture
def model():
    torch.manual_seed(0)
    network = VIB(in_shape=(1, 8, 8), hidden=[12], code=4).train()
    network.statistics.bias.data[4:] = torch.tensor([2.0, 4.0, 5.0, 6.0])
    return network


def test_it_is_what_torch_says(model):
    found, mu, sigma = divergences(model, make_step(6))
    expected = kl_divergence(Normal(mu, sigma), Normal(torch.zeros(()), torch.ones(()))).sum(1)
    torch.testing.assert_close(found.detach(), expected)


def test_it_is_the_mean_of_log_ratios_over_many_draws(model):
    found, mu, sigma = divergences(model, make_step(6), beta=0.5)
    law, prior = Normal(mu, sigma), Normal(torch.zeros(()), torch.ones(()))
    z = mu + sigma * torch.randn(20000, *mu.shape, generator=torch.Generator().manual_seed(0))
    ratios = (law.log_prob(z) - prior.log_prob(z)).sum(2)
    error = ratios.std(0) / 20000**0.5
    assert ((found.detach() - 0.5 * ratios.mean(0)).abs() < 4 * error).all()


def test_it_teaches_mean_and_deviation(model):
    found, _, _ = divergences(model, make_step(6))
    found.sum().backward()
    assert (model.statistics.bias.grad != 0).all()


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match=r"^InformationPenalty: beta must be at least 0, not -1\.$"):
        InformationPenalty(beta=-1)
    with pytest.raises(ValueError, match=r"^InformationPenalty: the network has no module among Bottleneck"):
        RobustClassifier(linear((1, 8, 8), 3), [InformationPenalty()])


def test_a_deviation_that_underflows_costs_much_and_teaches_the_others(model):
    model.statistics.bias.data[4] = -100.0
    found, _, _ = divergences(model, make_step(6))
    found.sum().backward()
    assert ((found > 40) & found.isfinite()).all()
    assert model.statistics.bias.grad.isfinite().all()
    assert (model.statistics.bias.grad[5:] != 0).all()
