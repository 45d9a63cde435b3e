"""Random directions against their closed form and their law."""

import numpy as np
import pytest
import torch
from scipy.stats import beta, kstest

from robust_train import RandomDirection
from robust_train.attacking.gradients import Counted
from robust_train.randomness import Streams
from tests.closed_forms import half_spaces, minimal_sizes
from tests.toy_networks import Ellipsoid, linear, linear_case

# Sixteen bisections of a bracket whose ends are a quarter apart.
RESOLUTION = {"rtol": 4e-6, "atol": 0.01 / 2**16}


def directions(inputs, seed=0):
    v = Streams.of(seed, range(len(inputs))).normal(tuple(inputs.shape[1:])).double().flatten(1)
    return (v / v.norm(dim=1, keepdim=True)).numpy()


def test_the_size_is_the_distance_along_the_line_to_both_sides():
    search = RandomDirection(largest=1e6)
    for seed in range(20):
        case = linear_case(seed)
        found = search(case.network, case.inputs, case.labels, rng=Streams.of(0, range(len(case.inputs))))
        rows = zip(case.inputs.flatten(1).numpy(), case.labels.tolist(), directions(case.inputs), strict=True)
        truth = [min(abs(gap / (w @ v)) for w, gap in half_spaces(case.network, x, y)) for x, y, v in rows]
        np.testing.assert_allclose(found.size / (1 + search.overshoot), truth, **RESOLUTION)


def test_the_perturbation_lies_on_the_line():
    case = linear_case(4)
    found = RandomDirection()(case.network, case.inputs, case.labels)
    r = (found.inputs - case.inputs).flatten(1).numpy()
    cosine = np.abs((r * directions(case.inputs)).sum(1)) / found.size.numpy()
    np.testing.assert_allclose(cosine, 1)


@pytest.mark.parametrize("dimension", [2, 10, 200])
def test_the_squared_inverse_ratio_to_the_adversarial_distance_has_the_beta_law(dimension):
    network, inputs = linear((dimension,), 2), torch.rand(3000, dimension, dtype=torch.float64)
    labels = network(inputs).argmax(1)
    # So far out that no sample is censored; one in ten thousand directions is that close to the boundary.
    found = RandomDirection(largest=1e7)(network, inputs, labels)
    assert found.size.isfinite().all()
    ratio = minimal_sizes(network, inputs, labels, "l2") / (found.size.numpy() / (1 + 1e-4))
    assert kstest(ratio**2, beta(0.5, (dimension - 1) / 2).cdf).pvalue > 0.01
    assert kstest(ratio**2, beta(0.5, dimension).cdf).pvalue < 1e-6  # the test has the power to tell


def test_beyond_the_largest_size_a_sample_is_censored():
    case = linear_case(2, classes=2)
    everything = RandomDirection(largest=1e6)(case.network, case.inputs, case.labels)
    limit = everything.size.median().item()
    found = RandomDirection(largest=limit)(case.network, case.inputs, case.labels)
    censored = everything.size > limit * (1 + 1e-4)
    assert 0 < censored.sum() < len(censored)
    assert torch.equal(found.size.isinf(), censored)
    assert torch.equal(found.inputs[censored], case.inputs[censored])
    torch.testing.assert_close(found.size[~censored], everything.size[~censored], rtol=1e-5, atol=0)


@pytest.mark.parametrize(("level", "crossing", "least"), [(0.0, 0.99999, 1.00005), (1.5e4, 0.998, 1.02)])
def test_what_is_found_close_to_the_largest_size_can_end_a_little_beyond(level, crossing, least):
    """By the overshoot; beside logits of 15 000, a change of 2 % is no more than rounding."""
    network = torch.nn.Linear(1, 2)
    network.weight.data, network.bias.data = torch.tensor([[0.0], [1.0]]), torch.tensor([level, level])
    start, labels = torch.full((4, 1), -crossing), torch.zeros(4, dtype=torch.int64)
    found = RandomDirection(largest=1.0)(network, start, labels).size
    assert (found > least).all()
    assert (found <= (1 + 1e-4) * (1 + 2**-5)).all()
    assert RandomDirection(largest=0.99)(network, start, labels).size.isinf().all()


def test_a_convex_region_is_left_where_the_line_leaves_it():
    origin = torch.zeros(16, 5, dtype=torch.float64)
    found = RandomDirection()(Ellipsoid([3.0] * 5), origin, torch.zeros(16, dtype=torch.int64))
    np.testing.assert_allclose(found.size, 3 * (1 + 1e-4), rtol=4e-6)


def test_it_needs_no_gradient():
    case = linear_case(1)
    network = Counted(case.network)
    RandomDirection()(network, case.inputs, case.labels)
    assert network.backwards == 0


@pytest.mark.parametrize(
    ("name", "value"), [("smallest", 0), ("growth", 1.0), ("overshoot", -0.1), ("components", "flat")]
)
def test_what_has_no_meaning_is_refused(name, value):
    with pytest.raises(ValueError, match=f"^RandomDirection: {name} must be"):
        RandomDirection(**{name: value})


def test_the_direction_of_uniform_noise_has_uniform_components():
    origin = torch.zeros(2000, 3, dtype=torch.float64)
    labels = torch.zeros(2000, dtype=torch.int64)
    search = RandomDirection(components="uniform")
    r = search(Ellipsoid([1.0] * 3), origin, labels).inputs
    ratio = (r[:, 0] / r[:, 1]).abs().numpy()
    # A quotient of two uniform numbers is below one half, and above two, with probability one quarter.
    assert abs((ratio < 0.5).mean() - 0.25) < 5 * (0.1875 / 2000) ** 0.5
    assert abs((ratio > 2).mean() - 0.25) < 5 * (0.1875 / 2000) ** 0.5
