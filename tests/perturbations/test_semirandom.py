"""Perturbations in subspaces against projectors, their laws and the two ends of the dimension."""

from math import gamma, sqrt

import numpy as np
import pytest
import torch
from scipy.stats import beta, kstest

from robust_train import DeepFool, RandomDirection, Semirandom
from robust_train.randomness import Streams
from robust_train.transforms.dct import dct_vectors
from robust_train.transforms.subspace import Subspace
from tests.closed_forms import half_spaces, minimal_sizes
from tests.toy_networks import Ellipsoid, convolutional, linear, linear_case

TINY = 1e-6  # overshoot


def bases(inputs, m):
    """The random subspaces of the samples, from their streams."""
    vectors = Streams.of(0, range(len(inputs))).normal((m, inputs[0].numel())).double()
    return [np.linalg.qr(v.T)[0] for v in vectors.numpy()]


def restricted(case, bases):
    """``(N,)`` the distance to the nearest class inside each subspace."""
    rows = zip(case.inputs.flatten(1).numpy(), case.labels.tolist(), bases, strict=True)
    return [
        min(gap / np.linalg.norm(w @ basis) for w, gap in half_spaces(case.network, x, label))
        for x, label, basis in rows
    ]


@pytest.mark.parametrize("m", [1, 2])
def test_it_finds_the_distance_along_the_projection_of_the_nearest_class(m):
    for seed in range(40):
        case = linear_case(seed)
        found = Semirandom(dimension=m, overshoot=TINY)(case.network, case.inputs, case.labels)
        truth = restricted(case, bases(case.inputs, m))
        np.testing.assert_allclose(found.size / (1 + TINY), truth, rtol=1e-4)


@pytest.mark.parametrize("kind", ["low_frequency", "high_frequency", "given"])
def test_the_subspace_may_be_that_of_waves_or_of_given_images(kind):
    for seed in range(10):
        case = linear_case(seed)
        shape = case.inputs.shape[1:]
        vectors = torch.randn(2, *shape, dtype=torch.float64)
        basis = Subspace(vectors) if kind == "given" else kind
        if kind != "given":
            vectors = dct_vectors(tuple(shape), 2, high=kind == "high_frequency")
        found = Semirandom(dimension=2, basis=basis, overshoot=TINY)(case.network, case.inputs, case.labels)
        span = np.linalg.qr(vectors.flatten(1).T.numpy())[0]
        np.testing.assert_allclose(
            found.size / (1 + TINY), restricted(case, [span] * len(case.inputs)), rtol=1e-4
        )
        r = (found.inputs - case.inputs).flatten(1).numpy()
        np.testing.assert_allclose(r @ span @ span.T, r, atol=1e-9 * found.size.max())


def test_one_dimension_is_a_random_direction():
    network, inputs = linear((3, 4), 5), torch.rand(64, 3, 4, dtype=torch.float64)
    labels = network(inputs).argmax(1)
    line = RandomDirection(largest=1e6, overshoot=0)(network, inputs, labels).size
    found = Semirandom(dimension=1, overshoot=TINY)(network, inputs, labels).size
    torch.testing.assert_close(found, line, rtol=1e-4, atol=1e-4)


def test_all_dimensions_are_deepfool():
    network, inputs = convolutional(dtype=torch.float64), torch.rand(32, 1, 8, 8, dtype=torch.float64)
    labels = network(inputs).argmax(1)
    everywhere = Semirandom(dimension=64)(network, inputs, labels)
    free = DeepFool(bounds=None, candidates=10)(network, inputs, labels)
    torch.testing.assert_close(everywhere.size, free.size, rtol=1e-6, atol=0)
    torch.testing.assert_close(everywhere.inputs, free.inputs, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("m", "d"), [(2, 40), (10, 40)])
def test_the_squared_inverse_ratio_to_the_adversarial_distance_has_the_beta_law(m, d):
    network, inputs = linear((d,), 2), torch.rand(3000, d, dtype=torch.float64)
    labels = network(inputs).argmax(1)
    found = Semirandom(dimension=m, overshoot=TINY)(network, inputs, labels).size.numpy()
    ratio = minimal_sizes(network, inputs, labels, "l2") / found
    assert kstest(ratio**2, beta(m / 2, (d - m) / 2).cdf).pvalue > 0.01
    assert (
        kstest(ratio**2, beta((m + 1) / 2, (d - m) / 2).cdf).pvalue < 1e-6
    )  # the test has the power to tell


def test_the_mean_ratio_is_biased_as_known_in_few_dimensions():
    m, d = 8, 800
    network, inputs = linear((d,), 2), torch.rand(2000, d, dtype=torch.float64)
    labels = network(inputs).argmax(1)
    found = Semirandom(dimension=m, overshoot=TINY)(network, inputs, labels).size.numpy()
    ratio = sqrt(m / d) * found / minimal_sizes(network, inputs, labels, "l2")
    expected = sqrt(m / 2) * gamma((m - 1) / 2) / gamma(m / 2)  # 1.108, as d grows
    assert abs(ratio.mean() - expected) < 5 * ratio.std() / sqrt(len(ratio)) + 0.005


@pytest.mark.parametrize("basis", ["random", "low_frequency", "high_frequency"])
def test_a_larger_subspace_contains_the_smaller_ones(basis):
    network, inputs = linear((1, 5, 5), 6), torch.rand(64, 1, 5, 5, dtype=torch.float64)
    labels = network(inputs).argmax(1)
    sizes = [
        Semirandom(dimension=m, basis=basis, overshoot=TINY)(network, inputs, labels).size
        for m in (1, 2, 5, 12, 25)
    ]
    for smaller, larger in zip(sizes[1:], sizes[:-1], strict=True):
        assert (smaller <= larger * (1 + 1e-4)).all()
    truth = minimal_sizes(network, inputs, labels, "l2")
    np.testing.assert_allclose(sizes[-1], truth, rtol=1e-4)


def test_from_the_centre_of_a_ball_every_subspace_is_as_far():
    origin = torch.full((8, 12), 1e-3, dtype=torch.float64)
    found = Semirandom(dimension=3, overshoot=TINY)(
        Ellipsoid([2.0] * 12), origin, torch.zeros(8, dtype=torch.int64)
    )
    np.testing.assert_allclose(found.size, 2, rtol=4e-3)


def test_subspaces_are_values():
    vectors = torch.eye(3)
    assert Subspace(vectors) == Subspace(vectors.clone()) != Subspace(2 * vectors)
    assert Semirandom(basis=Subspace(vectors)) == Semirandom(basis=Subspace(vectors.clone()))


def test_more_dimensions_than_there_are_is_refused():
    network, inputs, labels = linear((4,), 2), torch.rand(2, 4, dtype=torch.float64), torch.tensor([0, 1])
    for basis in ("random", "low_frequency", Subspace(torch.eye(4, dtype=torch.float64))):
        with pytest.raises(ValueError, match=r"^Semirandom: dimension must be at most 4 here, not 5\.$"):
            Semirandom(dimension=5, basis=basis)(network, inputs, labels)


@pytest.mark.parametrize(
    ("name", "value"),
    [("dimension", 0), ("steps", 0), ("overshoot", -0.1), ("basis", "low"), ("candidates", 1)],
)
def test_what_has_no_meaning_is_refused(name, value):
    with pytest.raises(ValueError, match=f"^Semirandom: {name} must be"):
        Semirandom(**{name: value})
