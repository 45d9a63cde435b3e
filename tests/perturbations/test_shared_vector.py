"""What every universal perturbation owes to being one vector for all images."""

from dataclasses import replace

import pytest
import torch

from robust_train import (
    PGD,
    SharedVector,
    Universal,
    UniversalGradient,
    UniversalRandom,
    UniversalSingular,
)
from robust_train.norms import norm
from robust_train.randomness import Streams
from robust_train.types import Goal
from tests.perturbations.examples import EVERY, name
from tests.toy_networks import curved, linear

RNG = Streams.of(0, [0])
LEARNING = [example for example in EVERY if isinstance(example, SharedVector)]
learning = pytest.mark.parametrize("example", LEARNING, ids=name)


def fit(perturbation, network, inputs):
    return perturbation.fit(network, [(inputs, torch.zeros(len(inputs), dtype=torch.int64))], RNG)


@learning
def test_the_change_is_the_same_for_all_images_and_inside_the_ball(example):
    network, inputs = linear((3, 4), 5), torch.rand(20, 3, 4, dtype=torch.float64)
    fitted = fit(example, network, inputs)
    found = fitted(network, inputs, torch.zeros(20, dtype=torch.int64))
    assert 0 < norm(fitted.vector[None], example.norm).item() <= example.eps * (1 + 1e-6)
    assert (found.size <= example.eps).all()
    expected = fitted.vector.expand_as(inputs)
    if example.bounds is not None:
        expected = (inputs + expected).clamp(0, 1) - inputs
    torch.testing.assert_close(found.inputs - inputs, expected)


@learning
@pytest.mark.parametrize("p", ["l1", "l2", "linf"])
def test_a_projection_is_its_own_projection(example, p):
    vector = torch.randn(4, 4, dtype=torch.float64)
    perturbation = replace(example, norm=p, eps=0.5)
    once = perturbation.project(vector)
    torch.testing.assert_close(norm(once[None], p).item(), 0.5)
    torch.testing.assert_close(perturbation.project(once), once, rtol=0, atol=1e-12)


@learning
def test_it_looks_at_predictions_and_never_at_labels(example):
    network, inputs = linear((3, 4), 5), torch.rand(20, 3, 4, dtype=torch.float64)
    labels = torch.arange(20) % 5, network(inputs).argmax(1)
    one, other = (example.fit(network, [(inputs, given)], RNG) for given in labels)
    assert torch.equal(one.vector, other.vector)
    assert torch.equal(*(one(network, inputs, given).inputs for given in labels))


@learning
@pytest.mark.parametrize("eps", [0.01, 0.1, 1.0, 10.0])
def test_no_more_than_the_larger_side_of_a_binary_linear_network_is_fooled(example, eps):
    """Any v pushes all images to the same side."""
    network, inputs = linear((4, 4), 2), torch.randn(200, 4, 4, dtype=torch.float64)
    fitted = fit(replace(example, eps=eps, bounds=None), network, inputs)
    labels = network(inputs).argmax(1)
    larger = labels.bincount(minlength=2).amax().item() / 200
    assert larger == 103 / 200
    rate = fitted.rate(network, inputs, Goal(labels), fitted.vector)
    assert rate <= larger
    assert rate > 0 or eps < 1


@learning
def test_far_along_any_vector_everything_is_of_one_class_of_a_linear_network(example):
    network, inputs = linear((4, 4), 5), torch.randn(200, 4, 4, dtype=torch.float64)
    fitted = fit(replace(example, bounds=None), network, inputs)
    labels = network(inputs).argmax(1)
    target = (network[-1].weight @ fitted.vector.flatten()).argmax()
    far = fitted.rate(network, inputs, Goal(labels), 1e6 * fitted.vector)
    assert far == pytest.approx(1 - (labels == target).double().mean().item())
    assert far > 0.5


@pytest.mark.parametrize("kind", [Universal, UniversalGradient, UniversalSingular])
@pytest.mark.parametrize(("p", "budgets"), [("linf", (0.02, 0.05, 0.1, 0.2)), ("l2", (0.1, 0.3, 0.6, 1.2))])
def test_what_is_learnt_is_between_a_random_vector_and_one_for_each_image(kind, p, budgets):
    network, inputs = curved((1, 6, 6), 4), torch.rand(400, 1, 6, 6, dtype=torch.float64)
    (lessons, judged), goals = inputs.split(200), Goal(network(inputs[200:]).argmax(1))
    for eps in budgets:
        budget = {"norm": p, "eps": eps, "bounds": (0.0, 1.0)}
        found = [UniversalRandom(**budget), fit(kind(**budget), network, lessons), PGD(**budget, steps=20)]
        rates = [
            goals.reached(network(one(network, judged, goals.labels).inputs)).double().mean() for one in found
        ]
        assert rates[0] + 0.05 < rates[1]
        assert rates[1] + 0.05 < rates[2]


def test_it_is_called_only_once_it_has_learnt():
    network, inputs = linear((4,), 3), torch.rand(2, 4, dtype=torch.float64)
    labels = torch.zeros(2, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"^Universal has not learnt its vector: call fit"):
        Universal()(network, inputs, labels)
    with pytest.raises(ValueError, match=r"^UniversalGradient has no images to learn from"):
        UniversalGradient().fit(network, [], RNG)
    with pytest.raises(ValueError, match=r"learnt from images of shape \(4,\), and these have \(5,\)"):
        fit(Universal(), network, inputs)(linear((5,), 3), torch.rand(2, 5, dtype=torch.float64), labels)


@learning
def test_it_learns_from_so_many_images_and_no_more(example):
    network, inputs = linear((4,), 3), torch.rand(20, 4, dtype=torch.float64)
    few, all_of_them = (fit(replace(example, images=n), network, inputs) for n in (8, 20))
    assert torch.equal(few.vector, fit(replace(example, images=8), network, inputs[:8]).vector)
    assert torch.equal(all_of_them.vector, fit(replace(example, images=10**6), network, inputs).vector)


@pytest.mark.parametrize("wrong", ["images", "batch_size"])
def test_what_has_no_meaning_is_refused(wrong):
    with pytest.raises(ValueError, match=f"^Universal: {wrong} must be positive"):
        Universal(**{wrong: 0})
