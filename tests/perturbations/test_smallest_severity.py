"""The smallest nuisance against linear networks, where it is known."""

import pytest
import torch

from robust_train import Brightness, Contrast, Rigid, SmallestSeverity
from tests.toy_networks import linear


def case(seed=0, classes=5):
    torch.manual_seed(seed)
    network, inputs = linear((1, 4, 4), classes), torch.rand(40, 1, 4, 4, dtype=torch.float64)
    return network, inputs, network(inputs).argmax(1)


def thresholds(network, inputs, labels, two_sided):
    """Smallest shift at which another class overtakes: gap over the difference of the sums of weights."""
    logits, sums = network(inputs).detach(), network[-1].weight.detach().sum(1)
    gap = logits.gather(1, labels[:, None]) - logits
    slope = sums - sums[labels][:, None]
    size = gap / (slope.abs() if two_sided else slope)
    return size.masked_fill((gap == 0) | (size <= 0), torch.inf).amin(1)


@pytest.mark.parametrize("two_sided", [True, False])
def test_a_linear_network_turns_where_the_sum_of_its_weights_says(two_sided):
    network, inputs, labels = case()
    truth = thresholds(network, inputs, labels, two_sided)
    search = SmallestSeverity(
        transform=Brightness(),
        largest=50.0,
        points=2000,
        two_sided=two_sided,
        bounds=None,
        bisections=24,
        overshoot=0,
    )
    found = search(network, inputs, labels)
    near = truth < 50
    torch.testing.assert_close(found.size[near], truth[near], rtol=1e-5, atol=0)
    assert found.size[~near].isinf().all()
    assert near.sum() > 10
    moved = (found.inputs - inputs).flatten(1)
    torch.testing.assert_close(moved, moved[:, :1].expand_as(moved))  # one shift for all pixels
    torch.testing.assert_close(moved[near, 0], found.parameters[near, 0])


def test_what_the_box_leaves_black_counts_as_it_is():
    network, inputs, labels = case(1)
    search = SmallestSeverity(transform=Brightness(), largest=1.0)
    found = search(network, inputs, labels)
    assert ((found.inputs >= 0) & (found.inputs <= 1)).all()
    broken = found.size.isfinite()
    assert broken.any()
    assert (network(found.inputs).argmax(1) != labels)[broken].all()
    assert torch.equal(search.measure(inputs, found.inputs, found.parameters)[broken], found.size[broken])


def test_images_that_the_parameter_does_not_give_have_no_size():
    network, inputs, labels = case(2)
    search = SmallestSeverity(transform=Contrast(), largest=3.0)
    found = search(network, inputs, labels)
    assert search.measure(inputs, found.inputs + 0.01, found.parameters).isinf().all()


def test_its_unit_is_the_name_of_the_nuisance():
    assert SmallestSeverity(transform=Contrast(), largest=1.0).norm == "Contrast"


def test_several_parameters_are_refused():
    with pytest.raises(
        ValueError, match=r"^SmallestSeverity: Rigid has 3 parameters: give a transform with one\.$"
    ):
        SmallestSeverity(transform=Rigid(), largest=1.0)
