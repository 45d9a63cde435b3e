"""Layers of Lipschitz constant 1 against their explicit matrices and Jacobians, in float64."""

import pytest
import torch

from robust_train import LipschitzCNN, lipschitz_bound
from robust_train.networks.aol import AOLConvolution, AOLDense, sums
from robust_train.networks.sll import SLLConvolution, SLLDense


def jacobian(function, x):
    found = torch.autograd.functional.jacobian(function, x[None])
    return found.reshape(-1, x.numel())


def spectral(matrix):
    return torch.linalg.matrix_norm(matrix, 2).item()


def shaken(layer, scale=2.0):
    """Any weights will do: also those that no training leads to."""
    torch.manual_seed(0)
    for parameter in layer.double().parameters():
        parameter.data = scale * torch.randn_like(parameter)
    return layer


LAYERS = [
    (AOLConvolution(2, 5), (2, 6, 6)),
    (AOLConvolution(5, 2), (5, 6, 6)),
    (AOLConvolution(3, 3, 5), (3, 6, 6)),
    (AOLDense(12, 4), (12,)),
    (AOLDense(4, 12), (4,)),
    (SLLConvolution(3), (3, 6, 6)),
    (SLLConvolution(4, 2), (4, 5, 5)),
    (SLLConvolution(2, 5), (2, 5, 5)),
    (SLLDense(7), (7,)),
    (SLLDense(7, 3), (7,)),
]
every_layer = pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=lambda v: type(v).__name__)


@every_layer
@pytest.mark.parametrize("scale", [0.01, 1.0, 30.0])
def test_no_difference_is_stretched(layer, shape, scale):
    layer = shaken(layer, scale)
    for x in torch.randn(8, *shape, dtype=torch.float64):
        assert spectral(jacobian(layer, x)) <= 1 + 1e-12


@every_layer
def test_nor_is_one_of_any_length(layer, shape):
    layer = shaken(layer)
    x, r = torch.randn(2, 50, *shape, dtype=torch.float64)
    for length in (1e-3, 1.0, 100.0):
        moved = (layer(x + length * r) - layer(x)).flatten(1).norm(dim=1)
        assert (moved <= length * r.flatten(1).norm(dim=1) * (1 + 1e-9)).all()


def test_the_sums_are_above_the_gram_matrix():
    kernel = torch.randn(4, 3, 3, 3, dtype=torch.float64)
    q = torch.rand(4, dtype=torch.float64) + 0.5
    unit = torch.eye(3 * 25, dtype=torch.float64).view(-1, 3, 5, 5)
    matrix = torch.nn.functional.conv2d(unit, kernel, padding=1).flatten(1).T  # (4 * 25, 3 * 25)
    for t in (sums(kernel), sums(kernel, q)):
        slack = torch.diag(t.repeat_interleave(25)) - matrix @ matrix.T
        assert torch.linalg.eigvalsh(slack).amin() >= -1e-9


@pytest.mark.parametrize(("inputs", "outputs"), [(6, 3), (3, 6)])
def test_orthogonal_weights_are_left_as_they_are(inputs, outputs):
    layer = AOLDense(inputs, outputs).double()
    weight = layer.weight.flatten(1).detach()
    torch.nn.init.orthogonal_(weight)
    torch.testing.assert_close(layer.matrix.detach(), weight)
    assert spectral(layer.matrix.detach()) == pytest.approx(1)


def test_a_residual_layer_is_its_formula():
    layer, x = shaken(SLLDense(5, 3), 1.0), torch.randn(4, 5, dtype=torch.float64)
    w, q = layer.weight.flatten(1), layer.log_q.exp()
    t = ((w @ w.T).abs() * q[None, :] / q[:, None]).sum(1)
    expected = x - 2 * torch.relu(x @ w.T + layer.bias) / t @ w
    torch.testing.assert_close(layer(x), expected)


def test_a_convolution_of_one_pixel_is_the_dense_layer():
    convolution, dense = shaken(SLLConvolution(4, 3, size=1)), SLLDense(4, 3).double()
    dense.load_state_dict(convolution.state_dict())
    x = torch.randn(5, 4, dtype=torch.float64)
    torch.testing.assert_close(convolution(x[:, :, None, None])[:, :, 0, 0], dense(x))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_zero_weight_is_no_division_by_zero(dtype):
    for layer in (AOLDense(3, 2).to(dtype), SLLDense(3).to(dtype)):
        layer.weight.data.zero_()
        layer.bias.data.fill_(3)
        x = torch.ones(1, 3, dtype=dtype, requires_grad=True)
        layer(x).sum().backward()
        assert layer(x).isfinite().all()
        assert layer.weight.grad.isfinite().all()


@pytest.mark.parametrize("layer", [AOLConvolution, SLLConvolution])
def test_a_kernel_without_a_centre_is_refused(layer):
    with pytest.raises(ValueError, match=rf"^{layer.__name__}: the side of the kernel must be odd, not 4\.$"):
        layer(3, 3, 4)


@pytest.mark.parametrize("layer", [AOLConvolution(8, 8), SLLConvolution(8)], ids=lambda v: type(v).__name__)
def test_the_sums_of_half_precision_weights_are_of_single_precision(layer):
    layer = shaken(layer).bfloat16()
    for q in (None, torch.arange(1, 9).bfloat16()):
        found, expected = sums(layer.weight, q), sums(layer.weight.double(), q)
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, expected.float())
    assert layer(torch.rand(2, 8, 6, 6).bfloat16()).dtype == torch.bfloat16


def test_the_network_has_the_constant_of_its_normalisation():
    for std in (1.0, 0.5):
        network = shaken(LipschitzCNN((1, 6, 6), width=2, hidden=8, std=[std]), 1.0)
        network.normalize.std.fill_(std)
        network.normalize.mean.fill_(0.5)
        assert lipschitz_bound(network) == pytest.approx(1 / std)
        for x in torch.rand(5, 1, 6, 6, dtype=torch.float64):
            assert spectral(jacobian(network, x)) <= 1 / std


def test_the_constant_holds_under_autocast_up_to_its_rounding():
    """Of orthogonal weights it is 1 exactly, and every image attains it."""
    torch.manual_seed(0)
    layer, r = AOLDense(256, 256), torch.nn.functional.normalize(torch.randn(100, 256))
    torch.nn.init.orthogonal_(layer.weight.data.view(256, 256))
    with torch.autocast("cpu", torch.bfloat16):
        moved = (layer(r) - layer(torch.zeros_like(r))).norm(dim=1)
    torch.testing.assert_close(moved, torch.ones_like(moved), rtol=0.005, atol=0)


def test_odd_sizes_are_refused():
    with pytest.raises(ValueError, match=r"^LipschitzCNN halves the image: 7x8 pixels are odd"):
        LipschitzCNN((1, 7, 8))
