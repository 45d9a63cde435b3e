"""Gradients that single precision rounds to zero come back, and what is found holds without the help."""

from contextlib import suppress
from dataclasses import replace

import pytest
import torch
from torch import nn

from robust_train import (
    FGSM,
    PGD,
    CrossEntropy,
    Margin,
    MultilayerPerceptron,
    Ramp,
    RobustClassifier,
    SaturationPenalty,
    Smallest,
    Stabilised,
    UniversalGradient,
    WorstOf,
)
from robust_train.attacking.modes import attack_mode
from robust_train.attacking.stabilising import stabilised
from tests.defenses.training import fit
from tests.digits import digits
from tests.snapshots import snapshot
from tests.toy_networks import convolutional, curved


def saturated(unit=nn.Sigmoid, place=0.4, steepness=400.0):
    """Class 0 where the mean of the pixels is above the place: one unit, flat but for its neighbourhood."""
    first, last = nn.Linear(16, 1), nn.Linear(1, 2)
    first.weight.data.fill_(steepness / 16)
    first.bias.data.fill_(-steepness * place)
    last.weight.data = torch.tensor([[1.0], [-1.0]])
    last.bias.data = torch.tensor([-0.5, 0.5]) if unit is nn.Sigmoid else torch.zeros(2)
    return nn.Sequential(nn.Flatten(), first, unit(), last)


@pytest.mark.parametrize("unit", [nn.Sigmoid, nn.Tanh])
@pytest.mark.parametrize("attack", [FGSM(eps=0.12), PGD(eps=0.12, random_start=False, objective=Margin())])
def test_a_saturated_unit_has_no_gradient_and_falls_all_the_same(unit, attack):
    network, x, label = saturated(unit), torch.full((1, 1, 4, 4), 0.5), torch.tensor([0])
    assert network(x).argmax(1) == 0
    assert torch.equal(attack(network, x, label).inputs, x)
    found = Stabilised(attack=attack)(network, x, label)
    assert network(found.inputs).argmax(1) == 1
    assert found.size <= 0.12
    # In double precision the unit is 1 as well, so that this alone brings nothing back.
    still = Stabilised(attack=attack, slope=0.0)(network, x, label)
    assert torch.equal(still.inputs, x)


def test_a_rectified_unit_that_is_off_can_be_turned_on():
    network, x, label = saturated(nn.ReLU, place=0.6), torch.full((1, 1, 4, 4), 0.5), torch.tensor([1])
    network[-1].bias.data = torch.tensor([-0.5, 0.5])
    attack = PGD(eps=0.15, random_start=False)
    assert torch.equal(attack(network, x, label).inputs, x)
    assert network(Stabilised(attack=attack)(network, x, label).inputs).argmax(1) == 0


def test_large_logits_hide_nothing():
    torch.manual_seed(0)
    network, x = curved((1, 4, 4), 5, dtype=torch.float32), torch.rand(64, 1, 4, 4)
    labels = network(x).argmax(1)
    attack = PGD(eps=0.1, random_start=False)
    broken = {}
    for factor in (1.0, 1e4):
        scaled = nn.Sequential(network)
        scaled.forward = lambda x, factor=factor: factor * network(x)
        found = [a(scaled, x, labels).inputs for a in (attack, Stabilised(attack=attack))]
        broken[factor] = [(network(y).argmax(1) != labels).float().mean() for y in found]
    assert broken[1.0][0] > 0.8
    assert broken[1e4][0] < 0.2
    assert min(broken[1.0][1], broken[1e4][1]) >= 0.95 * broken[1.0][0]


@pytest.mark.parametrize("unit", [nn.ReLU(inplace=True), nn.Sigmoid(), nn.Tanh()])
def test_values_stay_and_derivatives_have_a_floor(unit):
    a = torch.tensor([[-50.0, -0.5, 0.25, 1.0, 50.0]], dtype=torch.float64)
    plain, steeper = a.clone().requires_grad_(), a.clone().requires_grad_()
    values = unit(plain.clone())
    (derivative,) = torch.autograd.grad(values.sum(), plain)
    network = nn.Sequential(nn.Identity(), unit)
    with stabilised(network, 0.3, torch.float32) as view:
        compressed = view(a)
        found = network(steeper.clone())
        (floored,) = torch.autograd.grad(found.sum(), steeper)
    torch.testing.assert_close(found, values)
    torch.testing.assert_close(floored, torch.maximum(derivative, 0.3 / (1 + a.square())))
    torch.testing.assert_close(compressed, -(1 + values.amax() - values).log())
    assert getattr(unit, "inplace", True)
    assert not unit._forward_hooks


def test_weights_come_back_also_when_it_raises():
    network, x = convolutional().train(), torch.rand(3, 1, 8, 8)
    before = snapshot(network)
    with suppress(FloatingPointError), attack_mode(network), stabilised(network, 0.1, x.dtype) as view:
        assert view(x.double()).dtype == torch.float64
        raise FloatingPointError
    assert snapshot(network) == before


@pytest.mark.slow
def test_a_network_trained_to_saturate_resists_its_gradients_alone():
    """What the penalty was claimed to do, and what is left of it."""
    data, train = digits()
    torch.manual_seed(0)
    network = MultilayerPerceptron((1, 8, 8), hidden=[128], unit="tanh")
    penalty = SaturationPenalty(Ramp(0.0, 3.0, begin=0.3, until=0.8))
    fit(RobustClassifier(network, [penalty], adam, falling), train, batch=64, epochs=60)
    network.eval()
    published = [PGD(eps=0.15, steps=20, random_start=False)]
    strong = [PGD(eps=0.15, steps=20, restarts=3, objective=one) for one in (CrossEntropy(), Margin())]

    def standing(attacks):
        found = [attack(network, data.inputs, data.labels).inputs for attack in attacks]
        return torch.stack([network(x).argmax(1) == data.labels for x in found]).all(0).float().mean()

    clean = (network(data.inputs).argmax(1) == data.labels).float().mean()
    # Over five seeds: 88 to 92 %, 65 to 73 %, 43 to 58 % and 4 to 6 %; rounding alone, magnified by the steep
    # training, moves a run within that.
    assert clean > 0.85
    assert standing(published) > 0.5
    assert standing(strong) > 0.3
    assert standing([Stabilised(attack=attack) for attack in strong]) < 0.1


def adam(parameters):
    return torch.optim.Adam(parameters, lr=0.2)


def falling(optimizer):
    return torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=60)


def test_who_waits_for_the_gradients_of_weights_still_gets_them():
    """Distributed training hangs its exchange on the nodes that accumulate gradients, and keeps these."""
    network, x, seen = convolutional(), torch.rand(3, 1, 8, 8), []
    nodes = [p.view_as(p).grad_fn.next_functions[0][0] for p in network.parameters()]
    for node in nodes:
        node.register_hook(lambda *_, node=node: seen.append(node))
    for _ in range(2):
        seen.clear()
        network(x).sum().backward()
        assert set(seen) == set(nodes)
        Stabilised(attack=FGSM(eps=0.1))(network, x, torch.zeros(3, dtype=torch.int64))


def test_tied_weights_stay_tied():
    layer = nn.Linear(16, 16)
    network, x = nn.Sequential(nn.Flatten(), layer, nn.Tanh(), nn.Linear(16, 16)), torch.rand(3, 1, 4, 4)
    network[3].weight = layer.weight
    expected = network(x)
    with stabilised(network, 0.0, x.dtype) as view:
        found = view(x.double())
    torch.testing.assert_close(found.float(), -(1 + expected.amax(1, keepdim=True) - expected).log())


@pytest.mark.filterwarnings("ignore:.*torch.jit.script. is deprecated:FutureWarning")
def test_a_scripted_network_is_seen_in_double_precision_too():
    network, x = curved((1, 4, 4), 5, dtype=torch.float32), torch.rand(8, 1, 4, 4)
    labels = network(x).argmax(1)
    attack = Stabilised(attack=FGSM(eps=0.1), slope=0.0)
    found = attack(torch.jit.script(network), x, labels).inputs
    assert torch.equal(found, attack(network, x, labels).inputs)


class Halved(nn.Module):
    """A network that casts what goes through it to the precision of a layer of its own."""

    def __init__(self, dtype):
        super().__init__()
        self.layer, self.unit, self.dtype = nn.Linear(4, 2, dtype=dtype), nn.Tanh(), dtype

    def forward(self, x):
        return self.unit(self.layer(x.to(self.dtype))).float()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_network_that_casts_inside_keeps_its_precision_and_its_units_their_slope(dtype):
    network, x = Halved(dtype), torch.full((3, 4), 0.5)
    network.layer.weight.data = 100 * torch.tensor([[1.0], [-1.0]]).expand(2, 4).to(dtype).clone()
    labels, attack = torch.zeros(3, dtype=torch.int64), FGSM(eps=0.1)
    assert torch.equal(attack(network, x, labels).inputs, x)  # saturated
    found = Stabilised(attack=attack)(network, x, labels).inputs
    torch.testing.assert_close(found, x - 0.1)
    assert network.layer.weight.dtype == dtype


def test_norm_and_budget_are_those_of_the_search_unless_given():
    attack = Stabilised(attack=FGSM(norm="l2", eps=0.5))
    assert (attack.norm, attack.eps) == ("l2", 0.5)
    larger = replace(attack, eps=0.7, bounds=None)
    assert (larger.eps, larger.attack) == (0.7, FGSM(norm="l2", eps=0.7, bounds=None))
    network, x = saturated(), torch.full((1, 1, 4, 4), 0.5)
    smallest = Smallest(budgeted=Stabilised(attack=FGSM(eps=0.01)), bisections=8)
    torch.testing.assert_close(smallest(network, x, torch.tensor([0])).size.item(), 0.1, rtol=5e-3, atol=0)


def test_a_search_that_has_to_learn_is_refused():
    with pytest.raises(ValueError, match=r"^Stabilised: UniversalGradient has to learn: give a search that"):
        Stabilised(attack=UniversalGradient(eps=0.1))
    with pytest.raises(ValueError, match=r"^Stabilised: WorstOf has to learn"):
        Stabilised(attack=WorstOf(eps=0.1, members=[UniversalGradient(eps=0.1)]))
    learnt = UniversalGradient(eps=0.1, vector=torch.full((1, 4, 4), 0.1))
    found = Stabilised(attack=learnt, bounds=None)(saturated(), torch.zeros(1, 1, 4, 4), torch.tensor([0]))
    torch.testing.assert_close(found.inputs, learnt.vector[None])
