"""Ours and the peers', behind one signature."""

import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from robust_train.perturbations.base import Perturbation
from robust_train.randomness import Streams

OURS, WHOLE = "robust_train", "robust_train, drop=False"
PEERS = {
    "torchattacks": "torchattacks",
    "foolbox": "foolbox",
    "adv-lib": "adv_lib",
    "pyautoattack": "pyautoattack",
    "adversarial-robustness-toolbox": "art",
}
"""Distribution to module."""

STEP = 1 / 4
"""Length of a PGD step over eps. Of 1/16, 1/8 and 1/4, the strongest for all on held-out images."""

INSTALL = 'pip install -e ".[benchmark]" && pip install --no-deps "adv-lib>=0.2.8" "pyautoattack>=0.2"'


def missing() -> list[str]:
    """Names of the peers that are not installed."""
    return [name for name, module in PEERS.items() if find_spec(module) is None]


def ours(perturbation: Perturbation) -> Callable[[nn.Module, Tensor, Tensor, Streams], Tensor]:
    """A perturbation of ours as a contestant."""
    return lambda f, x, y, rng: perturbation(f, x, y, rng=rng).inputs


def bounded(network: nn.Module) -> Any:
    """The network as foolbox wants it."""
    import foolbox

    return foolbox.PyTorchModel(network, bounds=(0, 1), device=torch.device("cpu"))


def classifier(network: nn.Module, x: Tensor) -> Any:
    """The network as the adversarial robustness toolbox wants it, for images like x."""
    from art.estimators.classification import PyTorchClassifier

    with torch.no_grad():
        classes = network(x[:1]).shape[1]
    loss = nn.CrossEntropyLoss()
    return PyTorchClassifier(
        network, loss, tuple(x.shape[1:]), classes, clip_values=(0.0, 1.0), device_type="cpu"
    )


def torchattacks() -> Any:
    """The module of its attacks."""
    return _quietly("torchattacks")


def foolbox() -> Any:
    """The module of its attacks."""
    return _quietly("foolbox.attacks")


def autoattack() -> Any:
    """The authors' own package, as it is published."""
    return _quietly("pyautoattack")


def toolbox() -> Any:
    """The module of its attacks on images at hand."""
    return _quietly("art.attacks.evasion")


def adv_lib() -> Any:
    """The module of its attacks."""
    # It imports visdom for a logger that stays unused here; visdom is published as sources alone,
    # which setuptools does not build any more.
    if "visdom" not in sys.modules and find_spec("visdom") is None:
        sys.modules["visdom"] = ModuleType("visdom")
    return _quietly("adv_lib.attacks")


def _quietly(module: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # adv-lib imports distutils
        return import_module(module)
