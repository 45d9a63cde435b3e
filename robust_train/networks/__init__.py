"""Networks: images ``(N, C, H, W)`` in [0, 1] to logits ``(N, K)``, normalisation inside."""

from robust_train.networks.convex_resnet import ConvexResNet
from robust_train.networks.expectation import Expectation
from robust_train.networks.lenet import LeNet
from robust_train.networks.lipschitz_cnn import LipschitzCNN
from robust_train.networks.mlp import MultilayerPerceptron
from robust_train.networks.noise import Noise
from robust_train.networks.normalize import Normalize
from robust_train.networks.preact_resnet import PreActResNet18
from robust_train.networks.scattering_network import ScatteringNetwork
from robust_train.networks.small_cnn import SmallCNN
from robust_train.networks.torchvision import Torchvision
from robust_train.networks.vib import VIB

__all__ = [
    "VIB",
    "ConvexResNet",
    "Expectation",
    "LeNet",
    "LipschitzCNN",
    "MultilayerPerceptron",
    "Noise",
    "Normalize",
    "PreActResNet18",
    "ScatteringNetwork",
    "SmallCNN",
    "Torchvision",
]
