"""Bounds of whole networks against the Jacobians that they bound."""

import math

import pytest
import torch
from torch import nn

from robust_train import LeNet, MultilayerPerceptron, SmallCNN, difference_bounds, lipschitz_bound
from robust_train.networks import ConvexResNet
from robust_train.networks.aol import AOLDense
from tests.toy_networks import convolutional, linear


def stretched(network, shape, count=5):
    """Largest norm of the Jacobian that random images show, in float64."""
    network = network.double().eval()
    images = torch.rand(count, 1, *shape, dtype=torch.float64)
    jacobians = [torch.autograd.functional.jacobian(network, x) for x in images]
    return max(torch.linalg.matrix_norm(j.reshape(j.shape[1], -1), 2).item() for j in jacobians)


def circling(**fields):
    """A sum of neighbours around a circle."""
    layer = nn.Conv2d(1, 1, 3, padding_mode="circular", bias=False, **fields)
    nn.init.ones_(layer.weight)
    return nn.Sequential(layer, nn.Flatten())


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (SmallCNN((1, 8, 8), width=4, batch_norm=True), (1, 8, 8)),
        (LeNet(), (1, 28, 28)),
        (MultilayerPerceptron((1, 4, 4), hidden=[8]), (1, 4, 4)),
        (ConvexResNet((1, 8, 8), width=4), (1, 8, 8)),
        (convolutional(), (1, 8, 8)),
        (nn.Sequential(nn.Conv2d(1, 4, 3, 2, 2, dilation=2), nn.Sigmoid(), nn.Flatten()), (1, 9, 9)),
        (nn.Sequential(nn.Conv2d(2, 4, 3, 2, 1, groups=2), nn.Softplus(), nn.Flatten()), (2, 9, 9)),
        (nn.Sequential(nn.Conv2d(1, 3, 3, padding=1, padding_mode="circular"), nn.Flatten()), (1, 6, 6)),
        (circling(padding=1, stride=2), (1, 5, 5)),
        (circling(padding="valid"), (1, 5, 5)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_jacobian_is_above_the_bound(network, shape):
    found = stretched(network, shape)
    assert 0 < found <= lipschitz_bound(network)


def test_pools_are_exact():
    assert stretched(nn.Sequential(nn.AvgPool2d(2), nn.Flatten()), (1, 4, 4)) == pytest.approx(0.5)
    assert lipschitz_bound(nn.AvgPool2d(2)) == 0.5
    assert lipschitz_bound(nn.MaxPool2d(2)) == 1


@pytest.mark.parametrize("fields", [{"divisor_override": 1}, {"divisor_override": 9, "padding": 1}])
def test_pools_that_divide_by_another_number_are_exact(fields):
    pool = nn.AvgPool2d(2, **fields)
    assert stretched(nn.Sequential(pool, nn.Flatten()), (1, 4, 4)) == pytest.approx(lipschitz_bound(pool))


def test_it_is_the_product_of_the_layers():
    network = MultilayerPerceptron((1, 4, 4), hidden=[8], std=[0.25])
    norms = [torch.linalg.matrix_norm(layer.weight, 2).item() for layer in (network[1][1], network[2])]
    assert lipschitz_bound(network) == pytest.approx(4 * math.prod(norms), rel=1e-5)


def test_differences_of_the_logits_of_a_dense_layer_are_exact():
    network = linear((1, 3, 3), 4)
    weight = network[-1].weight
    bounds = difference_bounds(network, 4)
    for j in range(4):
        for k in range(4):
            assert bounds[j, k].item() == pytest.approx((weight[j] - weight[k]).norm().item())


def test_of_unknown_last_layers_the_difference_has_root_two():
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU())
    bound = lipschitz_bound(network)
    torch.testing.assert_close(difference_bounds(network, 3), torch.full((3, 3), 2**0.5 * bound).double())


class Doubled(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x)


class HotConvolution(nn.Conv2d):
    def _conv_forward(self, x, weight, bias):
        return super()._conv_forward(x, 5 * weight, bias)


class Hot(AOLDense):
    def forward(self, x):
        return 5 * super().forward(x)


class Known(Hot):
    def lipschitz(self, bound):
        return 5.0


class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.part = nn.Linear(2, 2)

    def lipschitz(self, bound):
        return 3 * bound(self.part)


def test_a_module_says_its_own():
    own = Own()
    assert lipschitz_bound(nn.Sequential(own, own)) == pytest.approx((3 * lipschitz_bound(own.part)) ** 2)


def test_the_matrix_of_another_forward_pass_is_not_believed():
    torch.testing.assert_close(difference_bounds(Known(4, 2), 2), torch.full((2, 2), 5 * 2**0.5).double())


@pytest.mark.parametrize(
    "module",
    [
        Doubled(2, 2),
        nn.Softmax(1),
        nn.MaxPool2d(3, 2),
        nn.AvgPool2d(2, padding=1, count_include_pad=False),
        nn.Softplus(threshold=0),
        Hot(4, 2),
        HotConvolution(1, 1, 3),
        nn.BatchNorm2d(3, track_running_stats=False),
        nn.Bilinear(2, 2, 2),
    ],
    ids=lambda module: type(module).__name__,
)
def test_what_is_not_known_is_refused(module):
    with pytest.raises(ValueError, match=r"^No Lipschitz bound is known of .*, or give the module a method"):
        lipschitz_bound(nn.Sequential(nn.Flatten(), module))


def test_the_refusal_names_a_tree_by_its_type():
    with pytest.raises(ValueError, match=r"is known of TransformerEncoderLayer: build"):
        lipschitz_bound(nn.TransformerEncoderLayer(4, 2))


@pytest.mark.parametrize(("mode", "padding"), [("reflect", 1), ("replicate", 1), ("circular", 2)])
def test_a_padding_that_shows_pixels_twice_is_refused(mode, padding):
    with pytest.raises(
        ValueError, match=rf"padded by {mode} with \({padding}, {padding}\): pad it with zeros"
    ):
        lipschitz_bound(nn.Conv2d(1, 1, 3, padding=padding, padding_mode=mode))
