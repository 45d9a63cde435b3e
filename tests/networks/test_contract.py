"""What every network promises: one example of each is enough to test a new one."""

import pytest
import torch
from jsonargparse import ArgumentParser
from torch import nn

from robust_train import networks
from robust_train.networks import (
    VIB,
    ConvexResNet,
    Expectation,
    LeNet,
    LipschitzCNN,
    MultilayerPerceptron,
    Noise,
    Normalize,
    PreActResNet18,
    ScatteringNetwork,
    SmallCNN,
    Torchvision,
)

EXAMPLES = {
    ConvexResNet: ({"in_shape": [2, 8, 9], "width": 4, "classes": 7}, (2, 8, 9)),
    LeNet: ({"classes": 7}, (1, 28, 28)),
    LipschitzCNN: ({"in_shape": [2, 8, 6], "width": 4, "hidden": 8, "classes": 7}, (2, 8, 6)),
    MultilayerPerceptron: ({"in_shape": [3, 4, 5], "hidden": [6], "classes": 7}, (3, 4, 5)),
    PreActResNet18: ({"classes": 7}, (3, 8, 8)),
    ScatteringNetwork: ({"in_shape": [2, 8, 9], "angles": 2, "classes": 7}, (2, 8, 9)),
    SmallCNN: ({"in_shape": [2, 8, 9], "width": 4, "classes": 7, "batch_norm": True}, (2, 8, 9)),
    VIB: ({"in_shape": [3, 4, 5], "hidden": [6], "code": 4, "classes": 7}, (3, 4, 5)),
    Torchvision: ({"name": "squeezenet1_1", "classes": 7}, (3, 32, 32)),
}
every_network = pytest.mark.parametrize(
    ("kind", "fields", "shape"),
    [pytest.param(kind, *example, id=kind.__name__) for kind, example in EXAMPLES.items()],
)


def test_every_exported_network_has_an_example():
    exported = {getattr(networks, name) for name in networks.__all__} - {Expectation, Noise, Normalize}
    assert exported == set(EXAMPLES)


@every_network
def test_images_become_logits_and_gradients_return(kind, fields, shape):
    images = torch.rand(3, *shape, requires_grad=True)
    logits = kind(**fields).eval()(images)
    (gradient,) = torch.autograd.grad(logits[:, 0].sum(), images)
    assert logits.shape == (3, 7)
    assert logits.isfinite().all()
    assert gradient.flatten(1).abs().amax(1).gt(0).all()


@every_network
def test_samples_do_not_mix(kind, fields, shape):
    network, images = kind(**fields).eval().double(), torch.rand(3, *shape, dtype=torch.float64)
    torch.testing.assert_close(network(images)[1:2], network(images[1:2]))


@every_network
def test_normalisation_is_the_first_layer(kind, fields, shape):
    bare = kind(**fields, mean=[0.0] * shape[0], std=[1.0] * shape[0]).eval()
    network = kind(**fields, mean=[0.4] * shape[0], std=[0.2] * shape[0]).eval()
    weights = {name: w for name, w in network.state_dict().items() if not name.startswith("normalize.")}
    bare.load_state_dict(weights, strict=False)
    images = torch.rand(2, *shape)
    torch.testing.assert_close(network(images), bare((images - 0.4) / 0.2))


@every_network
def test_weights_make_a_round_trip(kind, fields, shape):
    network = kind(**fields, mean=[0.3] * shape[0]).eval()
    copy = kind(**fields).eval()
    images = torch.rand(2, *shape)
    assert not torch.equal(copy(images), network(images))
    copy.load_state_dict(network.state_dict())
    assert torch.equal(copy(images), network(images))


@every_network
def test_other_channels_are_refused_in_one_sentence(kind, fields, shape):
    with pytest.raises(
        ValueError, match=rf"^The network expected images \(N, {shape[0]}, .*got \(2, 4, 8, 8\)"
    ):
        kind(**fields)(torch.rand(2, 4, 8, 8))


@every_network
def test_a_recipe_builds_it(kind, fields, shape):
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--network", type=nn.Module)
    path = f"robust_train.networks.{kind.__name__}"
    parsed = parser.parse_object({"network": {"class_path": path, "init_args": fields}})
    assert type(parser.instantiate(parsed).network) is kind
