"""A stochastic network: attacked by expectation, judged on draws that the attack has not seen."""

import pytest
import torch

from robust_train import FGSM, PGD, VIB, DeepFool, Expectation, Noise, evaluate
from robust_train.metrics.estimate import rate, rate_over_draws
from robust_train.networks.noise import drawn
from tests.toy_networks import Flagging, curved, linear


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


def stochastic(sigma, seed=0):
    torch.manual_seed(0)
    network = torch.nn.Sequential(Noise(sigma, seed=seed), curved((1, 4, 4), 3, torch.float32)).eval()
    x = torch.rand(40, 1, 4, 4)
    return network, x, network(x).argmax(1)


def test_a_minimal_perturbation_is_stretched_until_fresh_draws_agree():
    shares = []
    for seed in range(8):  # the judging draws are few, and all images share them
        network, x, labels = stochastic(0.02, seed)
        data, attack = list(zip(x, labels, strict=True)), DeepFool(overshoot=0.02)
        found = evaluate(network, data, {"deepfool": attack}, draws=8, progress=False).regimes["deepfool"]
        searched, judge = attack(Expectation(network, 8), x, labels), Expectation(network, 8, first=8)
        at_once = judge(searched.inputs).argmax(1) != judge(x).argmax(1)
        size, confirmed = found.outcome.size, found.outcome.size.isfinite()
        shares.append([at_once.float().mean(), confirmed.float().mean()])
        assert searched.size.isfinite().all()
        assert found.metrics["fooling_rate"] == rate(confirmed)
        longer = size[confirmed] / searched.size[confirmed]
        assert longer.min() > 0.999
        assert longer.max() < 3.001
    before, after = torch.tensor(shares).mean(0)
    assert before < 0.65
    assert after > 0.8


def test_a_minimal_perturbation_that_the_judging_draws_do_not_confirm_is_none():
    network, x, labels = stochastic(0.4)  # no length of it convinces whoever sees so few draws
    data, attack = list(zip(x, labels, strict=True)), {"deepfool": DeepFool(overshoot=0.02)}
    found = evaluate(network, data, attack, draws=4, gallery=None, progress=False).regimes["deepfool"]
    judge = Expectation(network, 4, first=4)
    confirmed = judge(found.examples).argmax(1) != judge(x).argmax(1)
    assert 0 < confirmed.sum() < len(x)
    assert torch.equal(found.outcome.size.isfinite(), confirmed)


def test_what_single_draws_flag_has_harmed_nobody():
    network, x, labels = case()
    data, regimes = list(zip(x, labels, strict=True)), {"fgsm": FGSM(eps=0.3)}
    levels = {0.0: 0.0, 2.0: None}  # all is flagged: nothing is right; nothing is: as without a flag
    for level, expected in levels.items():
        pair = Flagging(network, level=level).eval()
        found = evaluate(pair, data, regimes, draws=4, progress=False).regimes["fgsm"]
        plain = evaluate(network, data, regimes, draws=4, progress=False).regimes["fgsm"]
        value = plain.metrics["draw_accuracy"].value if expected is None else expected
        assert found.metrics["draw_accuracy"].value == value
    brighter = Flagging(network, level=float(x.mean((1, 2, 3)).max()) + 0.01).eval()
    whiter = {"white": lambda network, inputs, labels: torch.ones_like(inputs)}
    found = evaluate(brighter, data, whiter, draws=4, progress=False).regimes["white"]
    right = torch.stack([z.argmax(1) == labels for z in Expectation(network, 4, first=4).each(x)], 1)
    assert found.metrics["draw_accuracy"] == rate_over_draws(right)


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


@pytest.mark.parametrize(
    "network",
    [
        VIB((1, 4, 4), [8], 4, 3),
        Expectation(torch.nn.Sequential(Noise(0.4), linear((1, 4, 4), 3, torch.float32)), 4),
    ],
    ids=["mean decoding", "averaged already"],
)
def test_draws_that_are_all_the_same_are_refused(network):
    data = [(torch.rand(1, 4, 4), 0)]
    with pytest.raises(
        ValueError, match=r"^All draws of the network are the same, as its noise is averaged already"
    ):
        evaluate(network.eval(), data, {"fgsm": FGSM()}, draws=4, progress=False)


def test_draws_of_a_network_without_noise_are_refused():
    x = torch.rand(1, 1, 4, 4)
    with pytest.raises(ValueError, match=r"^The network has no Noise in it, .*: leave draws out"):
        evaluate(linear((1, 4, 4), 3), [(x[0], 0)], {"fgsm": FGSM()}, draws=4, progress=False)
