"""The published algorithm, batched and one image at a time, against a slow one."""

import pytest
import torch

from robust_train import Universal
from robust_train.attacking.gradients import Counted
from robust_train.perturbations.deepfool import DeepFool
from robust_train.randomness import Streams
from robust_train.types import Goal
from tests.toy_networks import curved, linear

RNG = Streams.of(0, [0])


def fit(perturbation, network, inputs):
    return perturbation.fit(network, [(inputs, torch.zeros(len(inputs), dtype=torch.int64))], RNG)


def images(count):
    return torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize(("p", "eps"), [("linf", 0.1), ("l2", 0.5)])
def test_one_image_at_a_time_is_the_algorithm_of_the_paper(p, eps):
    network, x = curved((1, 8, 8), 4), images(12)
    labels, v = network(x).argmax(1), torch.zeros(1, 1, 8, 8, dtype=torch.float64)
    [order] = RNG.uniform((1, 12))[0].argsort(1).tolist()
    deepfool = DeepFool(bounds=None, steps=10, candidates=10, refinements=0)
    for i in order:
        here, label = x[i : i + 1] + v, labels[i : i + 1]
        if network(here).argmax(1) == label:
            v = v + deepfool(network, here, label).inputs - here
            v = v.clamp(-eps, eps) if p == "linf" else v * (eps / v.norm()).clamp_max(1)
    found = fit(Universal(norm=p, eps=eps, passes=1, sequential=True), network, x)
    torch.testing.assert_close(found.vector, v[0])
    assert 0 < found.rate(network, x, Goal(labels), v[0]) < 1


def test_batches_of_one_image_are_one_image_at_a_time():
    network, x = curved((1, 8, 8), 4), images(12)
    batches, sequence = Universal(eps=0.1, batch_size=1), Universal(eps=0.1, sequential=True)
    assert torch.equal(fit(batches, network, x).vector, fit(sequence, network, x).vector)


def test_it_ends_once_it_fools_the_share_that_is_asked_for():
    network, x = curved((1, 8, 8), 4), images(40)
    costs = []
    for delta in (1.0, 0.5):
        counted = Counted(network)
        found = fit(Universal(eps=0.5, delta=delta, batch_size=10), counted, x)
        assert found.rate(network, x, Goal(network(x).argmax(1)), found.vector) >= 1 - delta
        costs.append(counted.backwards)
    assert 0 < costs[0] <= costs[1]


def test_more_passes_never_fool_fewer_of_the_images():
    network, x = curved((1, 8, 8), 4), images(40)
    goal, rates = Goal(network(x).argmax(1)), []
    for passes in (1, 2, 5):
        found = fit(Universal(eps=0.08, delta=0, passes=passes, batch_size=5), network, x)
        rates.append(found.rate(network, x, goal, found.vector))
    assert rates == sorted(rates)


def test_images_from_which_no_boundary_is_found_are_left_out():
    network, x = linear((4,), 3), torch.rand(8, 4, dtype=torch.float64)
    found = fit(Universal(bounds=(0.0, 1.0), eps=0.5, steps=1), lambda x: 0 * network(x), x)
    assert torch.equal(found.vector, torch.zeros(4, dtype=torch.float64))


@pytest.mark.parametrize(("name", "value"), [("delta", -0.1), ("passes", 0), ("steps", 0), ("candidates", 1)])
def test_what_has_no_meaning_is_refused(name, value):
    with pytest.raises(ValueError, match=f"^Universal: {name} must be"):
        Universal(**{name: value})
