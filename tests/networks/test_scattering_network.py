"""A linear classifier of scattering coefficients."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from robust_train import DDN, ScatteringNetwork
from robust_train.lipschitz import certified_radius, difference_bounds, lipschitz_bound


def trained(count=64):
    """On noise, which it learns by heart."""
    torch.manual_seed(0)
    network = ScatteringNetwork((1, 8, 8), classes=3, angles=4)
    x, labels = torch.rand(count, 1, 8, 8), torch.arange(count) % 3
    optimizer = torch.optim.Adam(network.parameters(), lr=0.05)
    for _ in range(60):
        optimizer.zero_grad()
        cross_entropy(network.train()(x), labels).backward()
        optimizer.step()
    return network.eval(), x, labels


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32)])
def test_images_of_the_usual_sizes_pass(shape):
    assert ScatteringNetwork(shape, angles=4).eval()(torch.rand(2, *shape)).shape == (2, 10)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_passes(dtype):
    torch.manual_seed(0)
    network, x = ScatteringNetwork((1, 8, 8), angles=4).eval(), torch.rand(2, 1, 8, 8)
    with torch.no_grad():
        expected, found = network(x), network.to(dtype)(x.to(dtype))
    assert found.dtype == dtype
    torch.testing.assert_close(found.float(), expected, rtol=0, atol=0.02)


def test_only_the_dense_layer_learns():
    network = ScatteringNetwork((1, 8, 8))
    assert {name for name, _ in network.named_parameters()} == {"head.linear.weight", "head.linear.bias"}
    assert not any("phi" in name or "psi" in name for name in network.state_dict())


def test_it_is_linear_in_standardised_coefficients():
    network, x, _ = trained()
    features, (standardise, linear) = network.features(x), network.head.children()
    z = (features - standardise.running_mean) / (standardise.running_var + 1e-8).sqrt()
    torch.testing.assert_close(network(x), z @ linear.weight.T + linear.bias, rtol=1e-3, atol=1e-3)
    slope = torch.autograd.functional.jacobian(network.head, features[:1])[0, :, 0]
    torch.testing.assert_close(slope, network.head.matrix, rtol=1e-4, atol=1e-3)


def test_no_attack_comes_below_the_certified_radius():
    network, x, _ = trained()
    logits = network(x).detach()
    radius = certified_radius(logits, difference_bounds(network, 3))
    found = DDN(steps=50, bounds=None)(network, x, logits.argmax(1)).size
    assert (radius > 0).all()
    assert (found >= radius).all()
    # Features that do not expand, and yet the classifier falls to a small change of the image.
    assert (found < 0.1 * x.flatten(1).norm(dim=1)).all()


def test_slopes_stay_below_the_bounds():
    network, x, _ = trained()
    jacobian = torch.autograd.functional.jacobian(lambda x: network(x).sum(0), x).transpose(0, 1).flatten(2)
    assert torch.linalg.matrix_norm(jacobian, 2).max() <= lipschitz_bound(network)
    steepest = (jacobian[:, :, None] - jacobian[:, None]).norm(dim=3).amax(0)
    assert (steepest <= difference_bounds(network, 3) + 1e-6).all()


def test_bounds_count_the_pixels_of_the_image():
    network, *_ = trained()
    other = ScatteringNetwork((1, 8, 8), classes=3, angles=4, std=[0.5]).eval()
    weights = {k: v for k, v in network.state_dict().items() if not k.startswith("normalize")}
    other.load_state_dict(weights, strict=False)
    torch.testing.assert_close(difference_bounds(other, 3), 2 * difference_bounds(network, 3))
