"""Singular vectors of boundary normals, and the random baseline."""

import pytest
import torch

from robust_train import UniversalRandom, UniversalSingular
from robust_train.norms import norm
from robust_train.randomness import Streams
from robust_train.types import Goal
from tests.toy_networks import curved, linear

RNG = Streams.of(0, [0])


def fit(perturbation, network, inputs):
    return perturbation.fit(network, [(inputs, torch.zeros(len(inputs), dtype=torch.int64))], RNG)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_the_normals_of_a_linear_network_have_one_rank_less_than_it_has_classes(classes):
    network, x = linear((4, 5), classes), torch.randn(300, 4, 5, dtype=torch.float64)
    normals = UniversalSingular().normals(network, x, Goal(network(x).argmax(1)))
    assert normals.shape == (300, 20)
    torch.testing.assert_close(normals.norm(dim=1), torch.ones(300, dtype=torch.float64))
    values = torch.linalg.svdvals(normals)
    assert (values[: classes - 1] > 1e-3).all()
    assert (values[classes - 1 :] < 1e-9).all()
    difference = network[-1].weight[1] - network[-1].weight[0]
    cosines = normals @ difference / difference.norm()
    assert cosines.abs().amax().item() == pytest.approx(1)


def test_of_a_binary_linear_network_it_is_the_normal():
    network, x = linear((4, 5), 2), torch.randn(100, 4, 5, dtype=torch.float64)
    found = fit(UniversalSingular(eps=3.0), network, x).vector.flatten()
    w = network[-1].weight[1] - network[-1].weight[0]
    assert found.norm().item() == pytest.approx(3.0)
    assert (found @ w / w.norm()).abs().item() == pytest.approx(3.0)


def test_no_try_fools_more_of_the_images_than_what_counts():
    network = curved((1, 8, 8), 4)
    x = torch.rand(60, 1, 8, 8, dtype=torch.float64)
    goal, rates = Goal(network(x).argmax(1)), []
    for draws in (0, 1, 10):
        found = fit(UniversalSingular(eps=1.0, draws=draws, dimension=5), network, x)
        rates.append(found.rate(network, x, goal, found.vector))
    first = torch.linalg.svd(UniversalSingular().normals(network, x, goal)).Vh[0].view(1, 8, 8)
    assert rates[0] == max(found.rate(network, x, goal, sign * first) for sign in (-1, 1))
    assert rates[0] <= rates[1]
    assert rates[0] <= rates[2]


def test_it_fools_more_held_out_images_than_a_random_vector_of_equal_norm():
    network, x = curved((1, 8, 8), 4), torch.rand(300, 1, 8, 8, dtype=torch.float64)
    labels = network(x).argmax(1)[100:]
    fitted, rates = fit(UniversalSingular(eps=0.5), network, x[:100]), []
    for perturbation in (fitted, UniversalRandom(norm="l2", eps=0.5)):
        y = perturbation(network, x[100:], labels, rng=Streams.of(0, range(100, 300))).inputs
        rates.append((network(y).argmax(1) != labels).double().mean())
    assert rates[0] > 2 * rates[1] > 0


def test_where_no_boundary_is_found_the_vector_is_zero():
    found = fit(UniversalSingular(), lambda x: x[:, :3] * 0, torch.rand(5, 4))
    assert torch.equal(found.vector, torch.zeros(4))


@pytest.mark.parametrize("p", ["linf", "l2", "l1"])
def test_the_random_vector_is_one_for_all_and_has_the_norm(p):
    network, x = linear((4, 5), 3), torch.rand(10, 4, 5, dtype=torch.float64)
    labels = torch.zeros(10, dtype=torch.int64)
    baseline = UniversalRandom(norm=p, eps=2.0)
    r = baseline(network, x, labels, rng=Streams.of(3, range(10))).inputs - x
    torch.testing.assert_close(r, r[:1].expand_as(r))
    torch.testing.assert_close(norm(r, p), torch.full((10,), 2.0, dtype=torch.float64))
    other = baseline(network, x, labels, rng=Streams.of(4, range(10))).inputs - x
    assert not torch.allclose(r, other)


@pytest.mark.parametrize(("name", "value"), [("dimension", 0), ("draws", -1)])
def test_what_has_no_meaning_is_refused(name, value):
    with pytest.raises(ValueError, match=f"^UniversalSingular: {name} must be"):
        UniversalSingular(**{name: value})
