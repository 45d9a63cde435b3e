"""Two opinions: how likely they agree, and what each of them sees."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy

from robust_train import FMN, Channels, Masked, RobustClassifier, SideInformation, Static
from tests.defenses.examples import make_step
from tests.defenses.training import fit
from tests.toy_networks import linear

DEFENSE = SideInformation(seen=[0, 1, 2], side=[3], in_shape=(4, 8, 8), classes=4, width=4)


def batches(count, seed=1):
    step = make_step(count, shape=(4, 8, 8), seed=seed)
    return [(step.inputs, step.labels % 4)]


def pair():
    wrapped = DEFENSE.wrap(linear((3, 8, 8), 4, dtype=torch.float32)).eval()
    DEFENSE.calibrate(wrapped, [], batches(40))
    return wrapped


def test_the_score_is_the_probability_that_both_agree():
    wrapped, x = pair(), torch.rand(5, 4, 8, 8)
    p, q = wrapped.network(x[:, :3]).softmax(1), wrapped.beside(x[:, 3:]).softmax(1)
    logits, score = wrapped.scored(x)
    torch.testing.assert_close(score, -(p * q).sum(1).log())
    assert torch.equal(logits, wrapped.network(x[:, :3]))
    flagged = wrapped(x).argmax(1) == 4
    assert torch.equal(flagged, score > wrapped.threshold)


def test_each_network_sees_its_own_channels():
    wrapped, x = pair(), torch.rand(2, 4, 8, 8, requires_grad=True)
    (first,) = torch.autograd.grad(wrapped.train()(x).sum(), x, retain_graph=True)
    (second,) = torch.autograd.grad(wrapped.second(x).sum(), x)
    assert (first[:, 3] == 0).all()
    assert (first[:, :3] != 0).any()
    assert (second[:, :3] == 0).all()
    assert (second[:, 3] != 0).any()


def test_the_loss_is_that_of_both():
    wrapped, (x, y) = pair(), batches(6)[0]
    step = replace(make_step(6), inputs=x, targets=y, labels=y)
    expected = 1 + cross_entropy(wrapped.second(x), y, reduction="none")
    torch.testing.assert_close(DEFENSE.loss(wrapped, step, torch.ones(6)), expected)


def test_both_learn():
    x, y = batches(12)[0]
    model = RobustClassifier(
        linear((3, 8, 8), 4, dtype=torch.float32), [DEFENSE], lambda p: torch.optim.SGD(p, lr=0.1)
    )
    before = {name: value.clone() for name, value in model.named_parameters()}
    fit(model, replace(make_step(12), inputs=x, labels=y), batch=4)
    assert not any(torch.equal(value, before[name]) for name, value in model.named_parameters())


def test_an_attack_on_some_channels_leaves_the_others_as_they_are():
    wrapped, (x, y) = pair(), batches(4)[0]
    attack = Masked(minimal_search=FMN(norm="linf", steps=20), mask=Channels(channels=[0, 1, 2]))
    for search in (attack, Static(perturbation=attack)):
        found = search(wrapped, x, y).inputs
        assert torch.equal(found[:, 3], x[:, 3])
    assert not torch.equal(found[:, :3], x[:, :3])


def test_what_cannot_be_is_refused():
    for fields in ({"seen": []}, {"side": [4]}, {"seen": [-1]}):
        with pytest.raises(ValueError, match=r"^SideInformation: seen .* must be channels of the images"):
            replace(DEFENSE, **fields)
    with pytest.raises(ValueError, match=r"^Channels: give the places of some channels, from 0 on, not \[\]"):
        Channels(channels=[])
    with pytest.raises(ValueError, match=r"^Channels: inputs have shape \(1, 2, 3, 3\), without a channel 2"):
        Channels(channels=[2])(torch.zeros(1, 2, 3, 3))
