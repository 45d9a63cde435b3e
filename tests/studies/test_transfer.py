"""Transfer between linear networks is known in closed form."""

import math

import pytest
import torch

from robust_train import PGD, DeepFool, GaussianNoise, Noise, UniversalGradient, evaluate, transfer
from robust_train.norms import norm
from tests.toy_networks import Flagging, Placed, linear


def binary(angle, bias=0.0):
    """Two classes of the plane, parted by the line with the normal at this angle."""
    network = linear((2,), 2)
    w = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)
    network[-1].weight.data = torch.stack([w, -w])
    network[-1].bias.data = torch.tensor([bias, -bias], dtype=torch.float64)
    return network


def plane(count=200, seed=0):
    return torch.randn(count, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("angle", [0.0, 0.3, 1.0, 2.0])
@pytest.mark.parametrize("overshoot", [0.02, 1.0])
def test_it_travels_as_far_as_the_cosine_carries_it(angle, overshoot):
    """A step of (1 + overshoot) m1 along w1 moves the margin of the second by its cosine."""
    a, b = binary(0.0), binary(angle, bias=0.05)
    x = plane()
    labels = (x[:, 0] < 0).long()
    found = transfer(
        {"a": a, "b": b},
        list(zip(x, labels.tolist(), strict=True)),
        DeepFool(bounds=None, overshoot=overshoot, refinements=0),
        progress=False,
    )
    side = torch.where(labels == 0, 1.0, -1.0).double()
    m1, m2 = x[:, 0] * side, (b(x)[:, 0] - b(x)[:, 1]) / 2 * side
    expected = (1 + overshoot) * m1 * math.cos(angle) > m2
    both = found.right[:, 0] & found.right[:, 1]
    assert torch.equal(found.broken[both, 0, 1], expected[both])
    assert found.rate(0, 1).n == both.sum() > 50
    assert found.rate(0, 0).value == 1.0


def test_what_is_wrong_already_does_not_count():
    x = plane()
    data = list(zip(x, (x[:, 0] < 0).long().tolist(), strict=True))
    found = transfer({"a": binary(0.0), "b": binary(math.pi)}, data, DeepFool(bounds=None), progress=False)
    assert found.right[:, 0].all()
    assert not found.right[:, 1].any()
    assert (found.rate(0, 1).n, found.rate(1, 1).n) == (0, 0)
    assert found.robust(1).value == 0.0


def test_noise_has_the_norm_of_what_was_made():
    """Half of the directions lead away from a line, so that noise breaks less than half of them."""
    x = plane()
    data = list(zip(x, (x[:, 0] < 0).long().tolist(), strict=True))
    network = {"a": binary(0.0), "b": binary(0.0)}
    found = transfer(network, data, DeepFool(bounds=None, overshoot=1.0, refinements=0), progress=False)
    # A step of twice the margin in a uniform direction crosses the line within 60 degrees: a third.
    assert found.baseline(0, 1).low < 1 / 3 < found.baseline(0, 1).high
    assert torch.equal(found.noise[:, 0, 0], found.noise[:, 0, 1])


def test_noise_has_that_norm_inside_the_box_too():
    """Half of the pixels of black images can only rise: the others are as much brighter."""
    network, seen = linear((1, 8, 8), 3), []
    data = [(torch.zeros(1, 8, 8, dtype=torch.float64), 0)] * 20

    def recording(x):
        seen.append(x.detach())
        return network(x)

    attack = PGD(norm="l2", eps=0.5, bounds=(0.0, 1.0), random_start=False, drop=False)
    transfer({"a": recording}, data, attack, progress=False)
    noise = seen[-1]  # what is judged last
    assert ((noise >= 0) & (noise <= 1)).all()
    torch.testing.assert_close(norm(noise, "l2"), torch.full((20,), 0.5, dtype=torch.float64))


def test_equal_networks_do_not_differ():
    x = plane()
    data = list(zip(x, (x[:, 0] < 0).long().tolist(), strict=True))
    networks = {"a": binary(0.0), "b": binary(0.0), "c": binary(1.5)}
    found = transfer(networks, data, PGD(norm="l2", eps=0.5, bounds=None), progress=False)
    assert found.difference(0, 1) == 1.0
    assert found.difference(0, 2) < 0.05
    assert torch.equal(found.broken[:, 0, 0], found.broken[:, 1, 1])


def test_any_block_gives_the_same():
    x = plane(50)
    data = list(zip(x, (x[:, 0] < 0).long().tolist(), strict=True))
    networks = {"a": binary(0.0), "b": binary(0.5)}
    noise = GaussianNoise(eps=1.0)
    one, other = (transfer(networks, data, noise, block=size, progress=False) for size in (7, 64))
    assert torch.equal(one.broken, other.broken)
    assert torch.equal(one.noise, other.noise)
    assert torch.equal(one.index, torch.arange(50))


def test_what_learns_does_so_on_each_network():
    """Its vector is along the normal of the network that it was learnt on."""
    x = plane(400)
    data = list(zip(x, (x[:, 0] < 0).long().tolist(), strict=True))
    networks = {"a": binary(0.0), "b": binary(math.pi / 2)}
    learnt = UniversalGradient(norm="l2", eps=5.0)
    held = transfer(networks, data, learnt, progress=False)
    assert len(held.index) == 320  # a fifth is learnt from
    apart = transfer(networks, data, learnt, training=data, progress=False)
    assert len(apart.index) == 400
    for found in (held, apart):
        assert found.robust(0).value < 0.6
        assert found.rate(0, 1).value < found.rate(0, 0).value / 2 + 0.25


def test_what_the_other_network_flags_has_not_broken_it():
    """Both part the images at a mean of 1/2; what crosses by more than 0.1, the second one flags."""
    plain = linear((1, 2, 2), 2)
    plain[-1].weight.data = torch.tensor([[-0.5] * 4, [0.5] * 4], dtype=torch.float64)
    plain[-1].bias.data = torch.tensor([1.0, -1.0], dtype=torch.float64)
    pair = Flagging(plain, level=0.6).eval()
    data = [(torch.full((1, 2, 2), level, dtype=torch.float64), 0) for level in (0.3, 0.35, 0.45)]
    attack = PGD(eps=0.2, random_start=False, drop=False, steps=20)
    found = transfer({"plain": plain, "pair": pair}, data, attack, progress=False)
    assert found.right.all()
    assert found.broken[:, 0, 0].tolist() == [False, True, True]
    assert found.broken[:, 0, 1].tolist() == [False, True, False]
    assert found.robust(1).value == pytest.approx(1 / 3)


def test_a_network_is_moved_only_where_a_device_is_given():
    def run(**settings):
        data = [(plane(1)[0], 0)]
        transfer({"a": Placed(binary(0.0))}, data, DeepFool(bounds=None), progress=False, **settings)

    run()
    with pytest.raises(AssertionError, match="was moved"):
        run(device="cpu")


@pytest.mark.parametrize("attack", [PGD(norm="l2", eps=0.5, bounds=None), DeepFool(bounds=None)])
def test_a_stochastic_network_is_judged_on_its_draws_as_an_evaluation_does(attack):
    x = plane(60)
    data = list(zip(x, (x[:, 0] < 0).long().tolist(), strict=True))
    networks = {"plain": binary(0.0), "random": torch.nn.Sequential(Noise(1.0), binary(0.0))}
    found = transfer(networks, data, attack, draws={"random": 6}, progress=False)
    assert found.draws == (1, 6)
    alone = {
        name: evaluate(network, data, {"it": attack}, draws=draws, progress=False)
        for (name, network), draws in zip(networks.items(), found.draws, strict=True)
    }
    for k, results in enumerate(alone.values()):
        outcome = results.regimes["it"].outcome
        assert torch.equal(found.right[:, k], outcome.logits.argmax(1) == outcome.labels)
        assert torch.equal(found.broken[:, k, k], outcome.perturbed_logits.argmax(1) != outcome.labels)
    assert not torch.equal(found.right[:, 1], transfer(networks, data, attack, progress=False).right[:, 1])


def test_what_an_evaluation_warns_of_is_told_of_each_network():
    x = plane(20)
    data = list(zip(x, (x[:, 0] < 0).long().tolist(), strict=True))
    sure = torch.nn.Sequential(binary(0.0), torch.nn.Softmax(1)).eval()
    found = transfer(
        {"plain": binary(0.0).eval(), "sure": sure}, data, GaussianNoise(eps=1.0), progress=False
    )
    said = [warning for warning in found.warnings if "Inputs lie in" not in warning]
    assert len(said) == 1
    assert said[0].startswith("sure: The network returns probabilities")
    assert len(found.warnings) == 3  # of the range, one of each
    busy = transfer({"busy": binary(0.0).train()}, data, GaussianNoise(eps=1.0), progress=False)
    assert busy.warnings[0].startswith("busy: Modules in training mode: ")
