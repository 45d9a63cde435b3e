"""The same attack, by us and by the peers, behind one signature."""

import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from robust_train.perturbations import PGD, DeepFool
from robust_train.perturbations.base import Perturbation
from robust_train.randomness import Streams
from robust_train.types import Norm

Attack = Callable[[nn.Module, Tensor, Tensor, Streams], Tensor]
"""``(network, inputs, labels, rng) -> perturbed``; peers draw from torch's global generator instead."""

OURS, WHOLE = "robust_train", "robust_train, drop=False"
PEERS = {"torchattacks": "torchattacks", "foolbox": "foolbox", "adv-lib": "adv_lib"}
"""Distribution to module."""

STEP = 1 / 4
"""Length of a PGD step over eps. Of 1/16, 1/8 and 1/4, the strongest for all on held-out images."""

INSTALL = 'pip install -e ".[benchmark]" && pip install --no-deps "adv-lib>=0.2.8"'


def missing() -> list[str]:
    """Names of the peers that are not installed."""
    return [name for name, module in PEERS.items() if find_spec(module) is None]


def pgd(norm: Norm, eps: float, steps: int) -> dict[str, Attack]:
    """PGD from a random start with one step size for all, ours in its two modes first.

    adv-lib has it in linf alone.
    """
    attacks, foolbox, adv_lib = _peers()
    size = STEP * eps
    ours = PGD(norm=norm, eps=eps, steps=steps, step_size=size)
    kind = {"linf": attacks.PGD, "l2": attacks.PGDL2}[norm]
    theirs = {"linf": foolbox.LinfPGD, "l2": foolbox.L2PGD}[norm](abs_stepsize=size, steps=steps)
    found = {
        OURS: _ours(ours),
        WHOLE: _ours(replace(ours, drop=False)),
        "torchattacks": lambda f, x, y, rng: kind(f, eps=eps, alpha=size, steps=steps)(x, y),
        "foolbox": lambda f, x, y, rng: theirs(_bounded(f), x, y, epsilons=eps)[1],
    }
    if norm == "linf":
        found["adv-lib"] = lambda f, x, y, rng: adv_lib.pgd_linf(
            f, x, y, eps, steps=steps, absolute_step_size=size
        )
    return found


def deepfool(steps: int) -> dict[str, Attack]:
    """DeepFool in l2, with the published overshoot."""
    attacks, foolbox, adv_lib = _peers()
    theirs = foolbox.L2DeepFoolAttack(steps=steps)
    return {
        OURS: _ours(DeepFool(steps=steps)),
        "torchattacks": lambda f, x, y, rng: attacks.DeepFool(f, steps=steps)(x, y),
        "foolbox": lambda f, x, y, rng: theirs(_bounded(f), x, y, epsilons=None)[0],
        "adv-lib": lambda f, x, y, rng: adv_lib.df(f, x, y, steps=steps),
    }


def _ours(perturbation: Perturbation) -> Attack:
    return lambda f, x, y, rng: perturbation(f, x, y, rng=rng).inputs


def _bounded(network: nn.Module) -> Any:
    import foolbox

    return foolbox.PyTorchModel(network, bounds=(0, 1), device=torch.device("cpu"))


def _peers() -> tuple[Any, Any, Any]:
    """The peers' modules of attacks."""
    # adv-lib imports visdom for a logger that stays unused here; visdom is published as sources
    # alone, which setuptools does not build any more.
    if "visdom" not in sys.modules and find_spec("visdom") is None:
        sys.modules["visdom"] = ModuleType("visdom")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # adv-lib imports distutils
        import adv_lib.attacks
        import foolbox.attacks
        import torchattacks
    return torchattacks, foolbox.attacks, adv_lib.attacks
