import pytest
import torch

from robust_train.networks import MultilayerPerceptron


def parameters(network):
    return sum(p.numel() for p in network.parameters())


def test_widths_are_those_of_the_fields():
    network = MultilayerPerceptron(in_shape=(1, 8, 8), hidden=[32, 16], classes=3)
    assert parameters(network) == (64 + 1) * 32 + (32 + 1) * 16 + (16 + 1) * 3


def test_without_hidden_layers_it_is_linear():
    network = MultilayerPerceptron(in_shape=(1, 2, 2), hidden=[], classes=3, mean=[0.0], std=[1.0])
    images = torch.rand(5, 1, 2, 2)
    expected = images.flatten(1) @ network.head.weight.T + network.head.bias
    torch.testing.assert_close(network(images), expected)


@pytest.mark.parametrize("unit", ["relu", "sigmoid", "tanh"])
def test_the_unit_is_between_the_layers(unit):
    network = MultilayerPerceptron(
        in_shape=(1, 2, 2), hidden=[3], classes=2, mean=[0.0], std=[1.0], unit=unit
    )
    images = torch.rand(5, 1, 2, 2)
    hidden = getattr(torch, unit)(network.features[1](images.flatten(1)))
    torch.testing.assert_close(network(images), network.head(hidden))


def test_another_unit_is_refused():
    with pytest.raises(
        ValueError, match=r"^MultilayerPerceptron: unit must be one of relu, sigmoid, tanh, not"
    ):
        MultilayerPerceptron(unit="step")
