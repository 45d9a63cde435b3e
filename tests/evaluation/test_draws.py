"""A stochastic network: attacked by expectation, judged on draws that the attack has not seen."""

import pytest
import torch

from robust_train import FGSM, PGD, DeepFool, Expectation, Noise, evaluate
from robust_train.metrics.estimate import rate, rate_over_draws
from robust_train.networks.noise import drawn
from tests.toy_networks import linear


def case():
    torch.manual_seed(0)
    network = torch.nn.Sequential(Noise(0.4), linear((1, 4, 4), 3, torch.float32)).eval()
    x = torch.rand(40, 1, 4, 4)
    return network, x, network(x).argmax(1)


@pytest.mark.parametrize(("attack", "passes"), [(FGSM(eps=0.05), 4), (PGD(eps=0.05, steps=3), 12)])
def test_what_is_reported_is_what_fresh_draws_say(attack, passes):
    network, x, labels = case()
    results = evaluate(network, list(zip(x, labels, strict=True)), {"it": attack}, draws=4, progress=False)
    perturbed = attack.maximising()(Expectation(network, 4), x, labels).inputs
    right = []
    for t in range(4, 8):
        with drawn(network, t):
            right.append((network(x).argmax(1) == labels) & (network(perturbed).argmax(1) == labels))
    found = results.regimes["it"]
    assert found.metrics["draw_accuracy"] == rate_over_draws(torch.stack(right, 1))
    judge = Expectation(network, 4, first=4)
    expected = (judge(x).argmax(1) == labels) & (judge(perturbed).argmax(1) == labels)
    assert found.metrics["robust_accuracy"] == rate(expected)
    assert (found.forwards, found.backwards) == (passes, passes)
    assert results.settings["draws"] == 4


def test_one_draw_is_a_network_like_any_other():
    network, x, labels = case()
    data = list(zip(x, labels, strict=True))
    results = evaluate(network, data, {"fgsm": FGSM(eps=0.05), "deepfool": DeepFool()}, progress=False)
    assert results.clean_accuracy.value == 1
    assert not any("draw_accuracy" in regime.metrics for regime in results.regimes.values())
    assert "draws" not in results.settings
    assert not results.warnings


def test_the_interval_grows_with_what_draws_differ_by():
    table = torch.rand(200, 8, generator=torch.Generator().manual_seed(0)) < 0.7
    steady, alone = rate_over_draws(table), rate(table[:, 0])
    unsteady = rate_over_draws(table & (torch.arange(8) % 2 == 0))
    assert steady.n == unsteady.n == 200
    assert steady.low < steady.value < steady.high
    assert abs((steady.high - steady.low) / (alone.high - alone.low) - 1) < 0.15
    assert unsteady.high - unsteady.low > 3 * (steady.high - steady.low)


def test_draws_of_a_network_without_noise_are_refused():
    x = torch.rand(1, 1, 4, 4)
    with pytest.raises(ValueError, match=r"^Expectation: the network has no Noise in it"):
        evaluate(linear((1, 4, 4), 3), [(x[0], 0)], {"fgsm": FGSM()}, draws=4, progress=False)
