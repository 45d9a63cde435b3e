"""The mean over draws: its probabilities, its gradients, and what it refuses."""

import pytest
import torch
from torch.nn.functional import softmax

from robust_train.attacking.rejection import unflagged
from robust_train.networks import Expectation, Noise
from robust_train.networks.noise import drawn
from robust_train.networks.rejecting import rejects
from tests.toy_networks import Flagging, linear


def noisy():
    torch.manual_seed(0)
    return torch.nn.Sequential(Noise(0.3), linear((1, 2, 2), 3)).eval()


def test_its_probabilities_are_the_mean_of_those_of_the_draws():
    network, x = noisy(), torch.rand(5, 1, 2, 2, dtype=torch.float64, requires_grad=True)
    each = []
    for t in (3, 4):
        with drawn(network, t):
            each.append(softmax(network(x), 1))
    found, expected = Expectation(network, draws=2, first=3)(x), ((each[0] + each[1]) / 2).log()
    torch.testing.assert_close(found, expected)
    slopes = [torch.autograd.grad(z[:, 0].sum(), x, retain_graph=True)[0] for z in (found, expected)]
    torch.testing.assert_close(*slopes)


def test_many_draws_of_a_linear_network_are_as_many_of_its_logits():
    """The variance of a logit difference is sigma^2 ||w||^2; two classes give a probability by quadrature."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(Noise(0.5), linear((1, 2, 2), 2)).eval()
    x = torch.rand(1, 1, 2, 2, dtype=torch.float64)
    w = (network[1][1].weight[1] - network[1][1].weight[0]).detach()
    gap = network[1](x)[0].diff().item()
    e = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    density = torch.exp(-(e**2) / 2) / (2 * torch.pi) ** 0.5
    expected = (torch.sigmoid(gap + 0.5 * w.norm() * e) * density).sum() * (e[1] - e[0])
    found = Expectation(network, draws=2000)(x).exp()[0, 1]
    torch.testing.assert_close(found, expected, atol=0.02, rtol=0)


def test_a_flag_is_averaged_apart_from_the_classes():
    torch.manual_seed(0)
    # The draws part over the class with certainty, and each is well below its flag's threshold.
    inner = torch.nn.Sequential(Noise(3.0), linear((1, 2, 2), 3)).eval()
    inner[1][1].weight.data *= 20
    pair, x = Flagging(inner, level=0.6).eval(), torch.full((2, 1, 2, 2), 0.5, dtype=torch.float64)
    x[1] = 0.8
    mean = Expectation(pair, draws=16)
    each = torch.stack(mean.each(x))
    assert len(each[:, 0].argmax(1).unique()) > 1
    assert rejects(mean)
    torch.testing.assert_close(mean(x)[:, :-1], Expectation(inner, draws=16)(x))
    torch.testing.assert_close(unflagged(mean)(x), Expectation(unflagged(pair), draws=16)(x))
    assert (mean(x).argmax(1) == 3).tolist() == [False, True]
    torch.testing.assert_close(mean(x)[:, -1] - mean(x)[:, :-1].amax(1), 10 * (x.mean((1, 2, 3)) - 0.6))


def test_nothing_to_average_is_refused():
    with pytest.raises(ValueError, match=r"^The network has no Noise in it, .* the same: leave draws out"):
        Expectation(linear((1, 2, 2), 3))
    with pytest.raises(ValueError, match=r"^draws must be positive, not 0\.$"):
        Expectation(noisy(), draws=0)


def test_draws_are_those_of_evaluation_mode_also_in_training():
    network, x = noisy(), torch.rand(5, 1, 2, 2, dtype=torch.float64)
    expected = Expectation(network, draws=3)(x)
    found = Expectation(network.train(), draws=3)(x)
    assert torch.equal(found, expected)
    assert network[0].training
    assert network[0].count == 0
