"""Certified radii against what is known exactly, and against what a search finds."""

import math

import pytest
import torch
from torch import nn

from robust_train import (
    DDN,
    ConvexResNet,
    LipschitzCNN,
    Margin,
    MultilayerPerceptron,
    SmallCNN,
    certified_radius,
    difference_bounds,
)
from tests.closed_forms import minimal_sizes
from tests.toy_networks import curved, linear_case


@pytest.mark.parametrize("seed", range(10))
def test_of_a_single_dense_layer_it_is_the_minimal_perturbation(seed):
    network, inputs, labels = (case := linear_case(seed)).network, case.inputs, case.labels
    logits = network(inputs)
    radius = certified_radius(logits, difference_bounds(network, logits.shape[1]))
    truth = torch.from_numpy(minimal_sizes(network, inputs, labels, "l2"))
    torch.testing.assert_close(radius, truth, rtol=1e-12, atol=1e-12)


def test_with_one_constant_it_is_the_margin_over_root_two():
    logits = torch.randn(20, 5)
    top = logits.topk(2, dim=1).values.double()
    expected = (top[:, 0] - top[:, 1]) / (math.sqrt(2) * 3)
    bounds = torch.full((5, 5), math.sqrt(2) * 3, dtype=torch.float64)
    torch.testing.assert_close(certified_radius(logits, bounds), expected)


@pytest.mark.parametrize(
    "network",
    [
        LipschitzCNN((1, 8, 8), width=4, hidden=16),
        SmallCNN((1, 8, 8), width=4),
        MultilayerPerceptron((1, 8, 8), hidden=[16]),
        ConvexResNet((1, 8, 8), width=4),
        curved((1, 8, 8), 10),
    ],
    ids=lambda network: type(network).__name__,
)
def test_no_search_finds_anything_within_the_radius(network):
    torch.manual_seed(0)
    network = network.double().eval()
    inputs = torch.rand(40, 1, 8, 8, dtype=torch.float64)
    *_, bias = (value for name, value in network.named_parameters() if name.endswith("bias"))
    with torch.no_grad():
        bias -= network(inputs).mean(0)  # images of every class
        logits = network(inputs)
    radius = certified_radius(logits, difference_bounds(network, 10))
    search = DDN(steps=60, objective=Margin(), bounds=None)
    found = search(network, inputs, logits.argmax(1)).size
    assert (radius > 0).all()
    assert (radius <= found).all()
    assert found.isfinite().sum() > 20


@pytest.mark.parametrize(
    ("logits", "bound", "radius"),
    [
        ([1.0, 1.0, 0.0], 1.0, 0.0),
        ([float("nan"), 1.0, 0.0], 1.0, 0.0),
        ([float("inf"), 1.0, 0.0], 1.0, 0.0),
        ([2.0, 1.0, 0.0], 0.0, float("inf")),
        ([1.0, 1.0, 0.0], 0.0, 0.0),
    ],
)
def test_ends(logits, bound, radius):
    assert certified_radius(torch.tensor([logits]), torch.full((3, 3), bound)).item() == radius


def test_the_bound_may_name_a_nearer_class_than_the_runner_up():
    network = nn.Sequential(nn.Flatten(), nn.Linear(2, 3)).double()
    network[1].weight.data = torch.tensor([[0.0, 0.0], [0.1, 0.0], [0.0, 10.0]]).double()
    bounds = difference_bounds(network, 3)
    radius = certified_radius(torch.tensor([[3.0, 2.0, 1.0]]), bounds)
    assert radius.item() == pytest.approx(0.2)  # (3 - 1) / 10, before (3 - 2) / 0.1
