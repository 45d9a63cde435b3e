"""Covering squares against a search of every place, one by one."""

import pytest
import torch

from robust_train import Goal, Occluder, Occlusion, SmallestOcclusion
from tests.toy_networks import linear


def case(count=24):
    generator = torch.Generator().manual_seed(4)
    inputs = torch.rand(count, 1, 5, 6, generator=generator, dtype=torch.float64)
    torch.manual_seed(4)
    network = linear((1, 5, 6), 4)
    return network, inputs, network(inputs).argmax(1)


def margins(network, inputs, labels, side):
    """``(places, N)`` with the square in every place."""
    covered = []
    for top in range(5 - side + 1):
        for left in range(6 - side + 1):
            x = inputs.clone()
            x[:, :, top : top + side, left : left + side] = 0.5
            covered.append(Goal(labels).margin(network(x)))
    return torch.stack(covered).detach()


@pytest.mark.parametrize("drop", [True, False])
def test_a_sample_stands_where_no_place_fools_it(drop):
    network, inputs, labels = case()
    found = Occlusion(side=0.4, drop=drop)(network, inputs, labels)
    truth = margins(network, inputs, labels, 2)
    margin, stands = Goal(labels).margin(network(found.inputs)).detach(), (truth >= 0).all(0)
    assert 0 < stands.sum() < len(stands)
    assert torch.equal(margin >= 0, stands)
    compared = stands if drop else torch.ones_like(stands)
    torch.testing.assert_close(margin[compared], truth.amin(0)[compared])
    assert (found.size == 4 / 30).all()


def test_the_smallest_square_is_the_smallest_that_fools_anywhere():
    network, inputs, labels = case()
    found = SmallestOcclusion()(network, inputs, labels)
    truth = torch.full((len(inputs),), torch.inf, dtype=torch.float64)
    for side in range(5, 0, -1):
        fooled = (margins(network, inputs, labels, side) < 0).any(0)
        truth[fooled] = side**2 / 30
    assert torch.equal(found.size, truth)
    assert 1 < len(truth.unique()) <= 6
    sides = found.parameters[:, 2].square() / 30
    assert torch.equal(sides[truth.isfinite()], truth[truth.isfinite()])


def test_the_square_has_one_value_and_leaves_the_rest():
    x = torch.rand(2, 3, 4, 4)
    y = Occluder(value=0.25)(x, torch.tensor([[1.0, 0.0, 2.0], [0.0, 0.0, 0.0]]))
    assert (y[0, :, 1:3, :2] == 0.25).all()
    assert torch.equal(y[0, :, 0], x[0, :, 0])
    assert torch.equal(y[1], x[1])


def test_a_square_larger_than_the_image_is_refused():
    with pytest.raises(ValueError, match=r"^Occlusion: side must be a share of at most 1, not 1\.5\.$"):
        Occlusion(side=1.5)
