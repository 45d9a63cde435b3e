"""The Parseval retraction: what it does to singular values, and what that means of a convolution."""

import math
from copy import deepcopy

import pytest
import torch
from torch import nn

from robust_train import LipschitzCNN, ParsevalRetraction, circular_norm, convolution_bound
from robust_train.networks.convex_sum import ConvexSum
from tests.lipschitz.test_convolution import spectral
from tests.toy_networks import convolutional


def singular(matrix):
    return torch.linalg.svdvals(matrix.detach())


def retracted(module, times=1, **fields):
    for _ in range(times):
        ParsevalRetraction(**fields).after_step(module)
    return module


@pytest.mark.parametrize("shape", [(5, 9), (9, 5), (6, 6)])
@pytest.mark.parametrize("beta", [1e-3, 0.3, 0.9])
def test_singular_values_follow_the_cubic_map_and_vectors_stay(shape, beta):
    layer = nn.Linear(*shape, dtype=torch.float64)
    before = layer.weight.detach().clone()
    u, s, v = torch.linalg.svd(before, full_matrices=False)
    retracted(layer, beta=beta)
    expected = u @ torch.diag((1 + beta) * s - beta * s**3) @ v
    torch.testing.assert_close(layer.weight.detach(), expected, rtol=1e-12, atol=1e-12)


def test_singular_values_go_to_one():
    layer = nn.Linear(7, 4, dtype=torch.float64)
    layer.weight.data.mul_(3)
    retracted(layer, 60, beta=0.5)
    torch.testing.assert_close(singular(layer.weight), torch.ones(4, dtype=torch.float64))


def test_bias_and_normalisation_are_left_alone():
    network = convolutional()
    before = deepcopy(network.state_dict())
    retracted(network, beta=0.1)
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"0.weight", "6.weight"}


@pytest.mark.parametrize(("factor", "refused"), [(0.999, False), (1.001, True)])
def test_what_would_diverge_is_refused(factor, refused):
    beta = 0.5
    layer = nn.Linear(3, 3, dtype=torch.float64)
    largest = factor * math.sqrt((2 + beta) / beta)
    layer.weight.data = torch.diag(torch.tensor([largest, 2.0, 2.0], dtype=torch.float64))
    after = abs((1 + beta) * largest - beta * largest**3)
    assert (after > largest) == refused  # the map itself drives it away
    if refused:
        with pytest.raises(ValueError, match=r"^ParsevalRetraction: a singular value of 2\.24 would grow"):
            retracted(layer, beta=beta)
    else:
        assert singular(retracted(layer, beta=beta).weight)[0] < largest


@pytest.mark.parametrize(("k", "stride"), [(3, 1), (3, 2), (5, 2), (2, 2), (1, 1)])
def test_a_retracted_convolution_stretches_nothing(k, stride):
    torch.manual_seed(0)
    convolution = nn.Conv2d(3, 4, k, stride, dtype=torch.float64)
    retracted(convolution, 200, beta=0.5)
    overlap = math.ceil(k / stride)
    values = singular(convolution.weight.flatten(1))
    torch.testing.assert_close(values, torch.full_like(values, 1 / overlap))
    norm = circular_norm(convolution.weight, (6 * stride, 6 * stride), stride).item()
    assert norm <= 1 + 1e-12
    assert convolution_bound(convolution.weight, stride).item() <= 1.005
    if k == stride or k == 1:
        assert norm == pytest.approx(1)  # patches that do not overlap: here it is orthogonal


@pytest.mark.parametrize(("stride", "dilation"), [(2, 2), (3, 2), (4, 6), (1, 2)])
def test_a_dilated_one_stretches_nothing_either(stride, dilation):
    convolution = nn.Conv2d(1, 1, 3, stride, dilation=dilation, bias=False, dtype=torch.float64)
    nn.init.constant_(convolution.weight, 1 / 9)
    retracted(convolution, 200, beta=0.5)
    assert 0.7 < spectral(convolution, (1, 40, 40)) <= 1 + 1e-12


def test_each_group_is_a_matrix_of_its_own():
    torch.manual_seed(0)
    convolution = nn.Conv2d(8, 8, 3, groups=4, bias=False, dtype=torch.float64)
    before = convolution.weight.detach().clone()
    retracted(convolution, beta=0.5)
    for old, new in zip(before.chunk(4), convolution.weight.chunk(4), strict=True):
        alone = nn.Conv2d(2, 2, 3, bias=False, dtype=torch.float64)
        alone.weight.data = old
        torch.testing.assert_close(new, retracted(alone, beta=0.5).weight)
    assert spectral(retracted(convolution, 200, beta=0.5), (8, 5, 5)) <= 1 + 1e-12


def test_frozen_weights_stay():
    layer, aggregate = nn.Linear(3, 3).requires_grad_(False), ConvexSum(3).requires_grad_(False)
    aggregate.alpha.data = torch.tensor([2.0, 1.5, -1.0])
    before = layer.weight.clone()
    retracted(nn.ModuleList([layer, aggregate]), beta=0.5)
    assert torch.equal(layer.weight, before)
    assert aggregate.alpha.tolist() == [2.0, 1.5, -1.0]


def test_an_orthogonal_matrix_is_no_orthogonal_convolution():
    """By the exact spectrum: among the images of unit norm, some are shrunk far below it."""
    torch.manual_seed(0)
    kernel = retracted(nn.Conv2d(4, 4, 3, dtype=torch.float64), 200, beta=0.5).weight.detach()
    matrix = 3 * kernel.flatten(1)
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(4, dtype=torch.float64))
    spectrum = singular(torch.fft.fft2(kernel, s=(8, 8)).permute(2, 3, 0, 1))
    assert spectrum.amax() == pytest.approx(circular_norm(kernel, (8, 8)).item())
    assert spectrum.amax() < 0.95
    assert spectrum.amin() < 0.2
    unscaled = 3 * spectrum.amax()  # the same matrix without the factor of the overlap
    assert unscaled > 1.5


def test_rows_are_drawn_from_the_seed_and_the_weights():
    torch.manual_seed(1)
    layer, state = nn.Linear(20, 10), torch.get_rng_state()
    before = layer.weight.detach().clone()
    fields = {"beta": 0.1, "rows": 0.3}
    first = retracted(deepcopy(layer), seed=0, **fields).weight
    again, other = (retracted(deepcopy(layer), seed=seed, **fields).weight for seed in (0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    moved = (first != before).any(1)
    assert moved.sum() == 3
    part = before[moved]
    torch.testing.assert_close(first[moved].detach(), 1.1 * part - 0.1 * part @ part.T @ part)
    assert torch.equal(torch.get_rng_state(), state)
    touched = (retracted(layer, 12, **fields).weight != before).any(1)
    assert touched.sum() > 6  # other rows at other steps


def test_convex_weights_are_projected_onto_the_simplex():
    aggregate = ConvexSum(3)
    aggregate.alpha.data = torch.tensor([2.0, 1.5, -1.0])
    retracted(aggregate)
    assert aggregate.alpha.tolist() == [0.75, 0.25, 0.0]
    assert aggregate.alpha.requires_grad


@pytest.mark.parametrize("fields", [{"beta": 0.0}, {"beta": 1.0}, {"rows": 0.0}, {"rows": 1.5}])
def test_numbers_without_meaning_are_refused(fields):
    with pytest.raises(ValueError, match=r"^ParsevalRetraction: beta must be between 0 and 1"):
        ParsevalRetraction(**fields)


def test_a_network_without_such_layers_is_refused():
    with pytest.raises(ValueError, match=r"^ParsevalRetraction: the network has no Linear and no Conv2d"):
        ParsevalRetraction().wrap(LipschitzCNN((1, 8, 8), width=2, hidden=4))


def test_a_weight_that_two_layers_share_is_pulled_once():
    first, second = nn.Linear(4, 4, dtype=torch.float64), nn.Linear(4, 4, dtype=torch.float64)
    second.weight = first.weight
    expected = retracted(deepcopy(first), beta=0.5).weight
    assert torch.equal(retracted(nn.Sequential(first, second), beta=0.5)[0].weight, expected)
