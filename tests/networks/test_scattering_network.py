"""A linear classifier of scattering coefficients."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from robust_train import DDN, ScatteringNetwork


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


def test_only_the_dense_layer_learns():
    network = ScatteringNetwork((1, 8, 8))
    assert {name for name, _ in network.named_parameters()} == {"head.weight", "head.bias"}
    assert not any("phi" in name or "psi" in name for name in network.state_dict())


def test_it_is_linear_in_standardised_coefficients():
    network, x, _ = trained()
    features, standardise = network.features(x), network.standardise
    z = (features - standardise.running_mean) / (standardise.running_var + 1e-8).sqrt()
    torch.testing.assert_close(
        network(x), z @ network.head.weight.T + network.head.bias, rtol=1e-3, atol=1e-3
    )


def test_no_attack_comes_below_the_certified_radius():
    network, x, _ = trained()
    logits = network(x).detach()
    labels = logits.argmax(1)
    bounds = network.steepness()[labels].scatter(1, labels[:, None], 1.0)
    margins = (logits.gather(1, labels[:, None]) - logits).scatter(1, labels[:, None], torch.inf)
    radius = (margins / bounds).amin(1)
    found = DDN(steps=50, bounds=None)(network, x, labels).size
    assert (radius > 0).all()
    assert (found >= radius).all()
    # Features that do not expand, and yet the classifier falls to a small change of the image.
    assert (found < 0.1 * x.flatten(1).norm(dim=1)).all()


def test_steepness_counts_the_pixels_of_the_image():
    network, *_ = trained()
    other = ScatteringNetwork((1, 8, 8), classes=3, angles=4, std=[0.5]).eval()
    weights = {k: v for k, v in network.state_dict().items() if not k.startswith("normalize")}
    other.load_state_dict(weights, strict=False)
    torch.testing.assert_close(other.steepness(), 2 * network.steepness())
