"""Layers within their bound, by norms that are known otherwise."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from robust_train import (
    LipschitzCNN,
    ParsevalRetraction,
    RobustClassifier,
    SmallCNN,
    SpectralNormalisation,
    checkpoint,
    lipschitz_bound,
)
from tests.defenses.examples import make_step
from tests.defenses.training import fit
from tests.lipschitz.test_convolution import spectral


def trained(network, bound, lr=0.3):
    model = RobustClassifier(network, [SpectralNormalisation(bound)], lambda p: torch.optim.SGD(p, lr=lr))
    fit(model, make_step(40), batch=8)
    return model.network


def exact(layer, size=8):
    """From the matrix of the layer on images of this size."""
    layer = deepcopy(layer).double()
    if isinstance(layer, nn.Linear):
        return torch.linalg.svdvals(layer.weight)[0].item()
    layer.bias = None
    return spectral(layer, (layer.in_channels, size, size))


@pytest.mark.parametrize("bound", [0.7, 1.0])
def test_every_layer_of_a_trained_network_is_within_the_bound(bound):
    network = SmallCNN((1, 8, 8), width=4)
    before = [exact(layer) for layer in network.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
    trained(network, bound)
    after = [exact(layer) for layer in network.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
    assert max(before) > bound
    assert len(after) == 6
    assert max(after) <= bound * (1 + 1e-6)
    assert max(after) > 0.85 * bound
    assert lipschitz_bound(network) <= 2 * (1.001 * bound) ** 6  # 2: the normalisation


def test_a_layer_within_the_bound_is_left_bit_for_bit():
    layer = nn.Conv2d(2, 3, 3, padding=1)
    layer.weight.data.mul_(0.1)
    before = layer.weight.detach().clone()
    SpectralNormalisation().after_step(layer)
    assert torch.equal(layer.weight, before)


def test_directions_stay_and_a_large_layer_meets_the_bound():
    layer = nn.Linear(5, 4, dtype=torch.float64)
    layer.weight.data.mul_(100)
    before = layer.weight.detach().clone()
    SpectralNormalisation(bound=2.0).after_step(layer)
    assert exact(layer) == pytest.approx(2.0)
    ratio = before / layer.weight.detach()
    torch.testing.assert_close(ratio, ratio[:1, :1].expand_as(ratio))


def test_an_average_of_weights_within_the_bound_is_within_it():
    first, second = (nn.Conv2d(2, 2, 3, dtype=torch.float64) for _ in range(2))
    for layer in (first, second):
        layer.weight.data.mul_(10)
        SpectralNormalisation().after_step(layer)
    mean = deepcopy(first)
    mean.weight.data = (first.weight.data + second.weight.data) / 2
    assert exact(mean) <= 1


def test_the_trained_network_is_a_plain_one_that_a_checkpoint_restores(tmp_path):
    network = SmallCNN((1, 8, 8), width=4)
    assert trained(network, 1.0) is network
    defense = {"class_path": "SpectralNormalisation", "init_args": {"bound": 1.0}}
    node = {"class_path": "SmallCNN", "init_args": {"in_shape": [1, 8, 8], "width": 4}}
    checkpoint.save(tmp_path, network, {"model": {"network": node, "defenses": [defense]}})
    x = torch.rand(3, 1, 8, 8)
    assert torch.equal(checkpoint.load(tmp_path)(x), network.eval()(x))


def test_what_has_no_meaning_is_refused():
    with pytest.raises(ValueError, match=r"^SpectralNormalisation: bound must be positive, not 0\.$"):
        SpectralNormalisation(bound=0)
    with pytest.raises(ValueError, match="padded by reflect"):
        SpectralNormalisation().after_step(nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect"))


@pytest.mark.parametrize("defense", [SpectralNormalisation(), ParsevalRetraction()])
def test_a_padding_that_no_norm_of_the_kernel_knows_of_is_refused_at_once(defense):
    sentence = rf"^{type(defense).__name__}: layer '0' is padded by reflect with \(1, 1\), by which"
    with pytest.raises(ValueError, match=sentence):
        defense.wrap(nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect")))
    for padding in (0, "valid"):  # which shows no pixel twice
        bare = nn.Sequential(nn.Conv2d(1, 1, 3, padding=padding, padding_mode="reflect"))
        assert defense.wrap(bare) is bare


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_weight_that_is_not_finite_is_named(value):
    network = SmallCNN((1, 8, 8), width=4)
    network.get_submodule(place := "features.2").weight.data[0] = value
    sentence = rf"^SpectralNormalisation: the weight of layer '{place}' is not finite any more: choose"
    with pytest.raises(ValueError, match=sentence):
        SpectralNormalisation().after_step(network)


def test_frozen_weights_stay():
    layer = nn.Linear(3, 3).requires_grad_(False)
    layer.weight.mul_(9)
    before = layer.weight.clone()
    SpectralNormalisation(0.1).after_step(layer)
    assert torch.equal(layer.weight, before)


@pytest.mark.parametrize("defense", [SpectralNormalisation(), ParsevalRetraction()])
def test_a_weight_that_is_computed_anew_is_refused(defense):
    network = nn.Sequential(nn.Linear(2, 2), nn.utils.parametrizations.weight_norm(nn.Linear(2, 2)))
    with pytest.raises(ValueError, match=r"the weight of layer '1' is computed anew in each pass"):
        defense.wrap(network)


def test_a_network_without_such_layers_is_refused():
    with pytest.raises(ValueError, match=r"^SpectralNormalisation: the network has no Linear and no Conv2d"):
        SpectralNormalisation().wrap(LipschitzCNN((1, 8, 8), width=2, hidden=4))
