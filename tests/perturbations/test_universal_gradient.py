"""Stochastic gradient ascent in one shared vector."""

from dataclasses import replace

import pytest
import torch

from robust_train import Universal, UniversalGradient
from robust_train.attacking.gradients import Counted
from robust_train.randomness import Streams
from robust_train.types import Goal
from tests.toy_networks import curved, linear

RNG = Streams.of(0, [0])


def fit(perturbation, network, inputs):
    return perturbation.fit(network, [(inputs, torch.zeros(len(inputs), dtype=torch.int64))], RNG)


def images(count):
    return torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize("p", ["linf", "l2", "l1"])
def test_one_sided_images_of_a_linear_network_are_left_along_the_steepest_direction(p):
    """With one predicted class of two, the best vector is eps times the steepest one."""
    network = linear((6,), 2)
    w = network[-1].weight[1] - network[-1].weight[0]
    x = -w * torch.rand(20, 1, dtype=torch.float64) * 5 - w
    assert (network(x).argmax(1) == 0).all()
    found = fit(UniversalGradient(norm=p, eps=0.5, batch_size=5), network, x.detach()).vector
    gain = {"linf": w.abs().sum(), "l2": w.norm(), "l1": w.abs().amax()}[p]
    torch.testing.assert_close(found @ w, 0.5 * gain, rtol=1e-6, atol=0)


def test_a_step_is_one_forward_and_one_backward_pass_an_image():
    network = Counted(curved((1, 8, 8), 4))
    fit(UniversalGradient(steps=4, batch_size=7), network, images(20))
    assert (network.forwards, network.backwards) == (5 * 20, 4 * 20)  # one pass for the predictions


@pytest.mark.parametrize("bounds", [None, (0.0, 1.0)])
def test_it_fools_more_held_out_images_than_the_published_algorithm(bounds):
    network, x = curved((1, 8, 8), 4), images(300)
    goal = Goal(network(x[100:]).argmax(1))
    rates = []
    for perturbation in (
        UniversalGradient(eps=0.06, bounds=bounds, batch_size=10),
        Universal(eps=0.06, bounds=bounds, sequential=True, passes=2),
    ):
        found = fit(perturbation, network, x[:100])
        rates.append(found.rate(network, x[100:], goal, found.vector))
    assert rates[0] > 1.25 * rates[1] > 0


def test_images_that_are_fooled_by_far_leave_the_step_to_the_others():
    """The loss of one of the two images grows with the vector of itself, and is cut off."""
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(2, 2, dtype=torch.float64))
    network[1].weight.data = torch.tensor([[0.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
    network[1].bias.data = torch.zeros(2, dtype=torch.float64)
    x, goal = torch.tensor([[5.0, 0.0]], dtype=torch.float64), Goal(torch.tensor([0]))
    for cut, moves in ((10.0, True), (4.0, False)):
        gradient = UniversalGradient(cut=cut)._gradient(network, x, goal, torch.zeros(2, dtype=torch.float64))
        assert bool(gradient[0] > 0) == moves


def test_the_cut_is_in_units_of_the_logits():
    network, x = curved((1, 8, 8), 4), images(40)
    small, other, large = (
        fit(UniversalGradient(eps=0.1, cut=cut), lambda z, k=scale: k * network(z), x).vector
        for scale, cut in ((1.0, 0.1), (128.0, 0.1), (128.0, 12.8))
    )
    assert torch.equal(small, large)
    assert not torch.equal(small, other)


def test_the_order_of_the_images_is_drawn_from_the_stream():
    network, x = curved((1, 8, 8), 4), images(20)
    perturbation = UniversalGradient(eps=0.1, steps=2, batch_size=3)
    batches = [(x, torch.zeros(20, dtype=torch.int64))]
    one, again, other = (
        perturbation.fit(network, batches, Streams.of(seed, [0])).vector for seed in (0, 0, 1)
    )
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


@pytest.mark.parametrize(("name", "value"), [("steps", 0), ("step_size", 0.0), ("cut", -1.0)])
def test_what_has_no_meaning_is_refused(name, value):
    with pytest.raises(ValueError, match=f"^UniversalGradient: {name} must be"):
        replace(UniversalGradient(), **{name: value})
