"""Every defense on every network: what it trains, what it refuses, and what is left of the network."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from robust_train import DetectorHead, RobustClassifier, SideInformation, SpatialTransformer
from tests.defenses.examples import EXAMPLES, make_step
from tests.defenses.training import fit
from tests.networks.test_contract import EXAMPLES as NETWORKS

REFUSED = {
    "ContractivePenalty-LipschitzCNN",  # its layers are of a kind of their own
    "NoiseLayers-LipschitzCNN",
    "ParsevalRetraction-LipschitzCNN",
    "SaturationPenalty-LipschitzCNN",
    "SaturationPenalty-ScatteringNetwork",  # which has no units
    "SpectralNormalisation-LipschitzCNN",
    "UncertaintyDetector-LipschitzCNN",
    "UncertaintyDetector-Torchvision",  # SqueezeNet ends in a convolution
    *(f"InformationPenalty-{kind.__name__}" for kind in NETWORKS if kind.__name__ != "VIB"),
}
LONG = "SpectralNormalisation-PreActResNet18"  # singular values of eleven million weights: a minute a step


def pairs():
    for defense in EXAMPLES:
        for kind in NETWORKS:
            name = f"{defense.__name__}-{kind.__name__}"
            if name != LONG:
                marks = [pytest.mark.slow] if kind.__name__ == "PreActResNet18" else []
                yield pytest.param(EXAMPLES[defense][0], kind, name in REFUSED, id=name, marks=marks)


def fitted(defense, network, shape):
    """The defense, told the shape of the images, the number of classes and a layer of the network."""
    if isinstance(defense, DetectorHead):
        layers = (name for name, module in network.named_modules() if isinstance(module, nn.ReLU | nn.Linear))
        return replace(defense, layer=next(layers, "features"), in_shape=shape)
    if isinstance(defense, SideInformation):
        return replace(defense, seen=list(range(shape[0])), in_shape=shape, classes=7)
    return replace(defense, channels=shape[0]) if isinstance(defense, SpatialTransformer) else defense


def trained(defense, network, shape):
    """The loss after two steps."""
    step = make_step(4, shape)
    step = replace(step, labels=step.labels % 7)
    model = RobustClassifier(network, [defense], lambda parameters: torch.optim.SGD(parameters, lr=1e-3))
    return fit(model, step, batch=2).callback_metrics["train/loss"]


@pytest.mark.parametrize(("defense", "kind", "refused"), list(pairs()))
def test_it_trains_the_network_or_refuses_it_and_leaves_one_that_learns_without(defense, kind, refused):
    fields, shape = NETWORKS[kind]
    network = kind(**fields)
    defense = fitted(defense, network, shape)
    if refused:
        with pytest.raises(
            ValueError, match=rf"^{type(defense).__name__}: the network has n(o|either) [^\n]+\.$"
        ):
            trained(defense, network, shape)
    else:
        assert trained(defense, network, shape).isfinite()
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
    logits = network.train()(make_step(4, shape).inputs)
    assert logits.shape == (4, 7)
    for weight in network.parameters():
        weight.grad = None
    cross_entropy(logits, torch.arange(4)).backward()
    assert all(weight.grad.isfinite().all() for weight in network.parameters())
