"""Patches against the optimum on linear networks."""

from dataclasses import replace

import pytest
import torch

from robust_train import Goal, Margin, Patch
from robust_train.perturbations.patch import cut, paste
from robust_train.randomness import Streams
from tests.toy_networks import convolutional, linear

rng = Streams.of(0, [0])


def case():
    network = linear((2, 6, 6), 2)
    lessons = [(torch.rand(100, 2, 6, 6, dtype=torch.float64), torch.zeros(100))]
    w = (network[-1].weight[1] - network[-1].weight[0]).detach().view(2, 6, 6)
    return network, lessons, w


def test_over_the_whole_image_it_is_the_best_image_of_the_target():
    network, lessons, w = case()
    attack = Patch(area=1.0, target=1).fit(network, lessons, rng)
    assert torch.equal(attack.pattern, (w > 0).double())


def test_it_is_best_on_average_over_its_places():
    network, lessons, w = case()
    attack = Patch(area=0.25, target=1, objective=Margin()).fit(network, lessons, rng)
    places = torch.tensor([(i, j) for i in range(4) for j in range(4)])
    mean = cut(w.expand(16, 2, 6, 6), attack.pattern, places).mean(0)
    best = (mean > 0).double()
    gain = (mean * attack.pattern).sum() - (mean * 0.5).sum()
    assert gain > 0.93 * ((mean * best).sum() - (mean * 0.5).sum())


def test_it_covers_its_place_and_nothing_else():
    network, lessons, _ = case()
    attack = Patch(area=0.25, epochs=1).fit(network, lessons, rng)
    x = torch.rand(50, 2, 6, 6, dtype=torch.float64)
    found = attack(network, x, torch.zeros(50, dtype=torch.int64))
    assert (found.size == 0.25).all()
    for before, after, (top, left) in zip(x, found.inputs, found.parameters.long().tolist(), strict=True):
        assert torch.equal(after[:, top : top + 3, left : left + 3], attack.pattern)
        outside = after.clone()
        outside[:, top : top + 3, left : left + 3] = before[:, top : top + 3, left : left + 3]
        assert torch.equal(outside, before)
    assert len(found.parameters.unique(dim=0)) > 10
    elsewhere = found.inputs.clone()
    elsewhere[0] = 1 - elsewhere[0]
    assert attack.measure(x, elsewhere, found.parameters).isinf().tolist() == [True] + [False] * 49


def test_what_is_cut_is_what_was_pasted():
    x, pattern = torch.rand(5, 3, 7, 8), torch.rand(3, 2, 4)
    corners = torch.tensor([[0, 0], [5, 4], [2, 1], [3, 3], [1, 4]])
    assert torch.equal(cut(paste(x, pattern, corners), pattern, corners), pattern.expand(5, 3, 2, 4))


def test_it_fools_images_that_it_did_not_learn_from():
    network, lessons = convolutional(), [(torch.rand(100, 1, 8, 8), torch.zeros(100))]
    x = torch.rand(200, 1, 8, 8)
    labels = network(x).argmax(1)
    learnt = Patch(area=0.3).fit(network, lessons, rng)
    grey = replace(learnt, pattern=torch.full_like(learnt.pattern, 0.5))
    rates = [
        Goal(labels).reached(network(a(network, x, labels).inputs)).double().mean() for a in (learnt, grey)
    ]
    assert rates[0] > rates[1] + 0.1


@pytest.mark.parametrize(
    ("name", "value"), [("area", 0.0), ("area", 1.5), ("epochs", 0), ("target", -1), ("bounds", None)]
)
def test_what_has_no_meaning_is_refused(name, value):
    with pytest.raises(ValueError, match=f"^Patch: {name} must be"):
        Patch(**{name: value})


def test_without_images_or_before_learning_it_is_refused():
    with pytest.raises(ValueError, match=r"^Patch has no images"):
        Patch().fit(convolutional(), [], rng)
    with pytest.raises(ValueError, match=r"^Patch: inputs have shape \(4, 3\)"):
        Patch().fit(convolutional(), [(torch.rand(4, 3), torch.zeros(4))], rng)
    with pytest.raises(ValueError, match=r"^Patch has not been learnt"):
        Patch()(convolutional(), torch.rand(1, 1, 8, 8), torch.zeros(1, dtype=torch.int64))
