"""What is measured: attacks, budgets and networks."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from robust_train.perturbations import PGD
from robust_train.types import Norm, predict

from .implementations import STEP, Attack, deepfool, pgd
from .race import Laps, race
from .scoring import score

STEPS = {"PGD": 40, "DeepFool": 50}

# Found by ``--calibrate``: of 1,000 held-out training images, PGD-40 leaves 60.2 % (linf) and 60.1 % (l2)
# standing on the adversarially trained network, and 0.0 % and 2.4 % on the undefended one.
EPS: dict[Norm, float] = {"linf": 0.135, "l2": 1.15}


@dataclass(frozen=True)
class Case:
    """One attack on one network.

    Args:
        attack: ``PGD`` or ``DeepFool``.
        norm: Of the budget, or of what is minimised.
        network: ``standard`` or ``adversarial``.
    """

    attack: str
    norm: Norm
    network: str

    @property
    def title(self) -> str:
        eps = f", eps {EPS[self.norm]:g}" if self.attack == "PGD" else ""
        return f"{self.attack}-{STEPS[self.attack]} {self.norm}{eps}"

    def implementations(self) -> dict[str, Attack]:
        """Ours and the peers', by name."""
        if self.attack == "PGD":
            return pgd(self.norm, EPS[self.norm], STEPS["PGD"])
        return deepfool(STEPS["DeepFool"])


@dataclass(frozen=True)
class Measured:
    """A case with its images and laps; DeepFool starts from what the network gets right."""

    case: Case
    images: int
    laps: dict[str, Laps]


CASES = [
    case
    for network in ("standard", "adversarial")
    for case in (Case("PGD", "linf", network), Case("PGD", "l2", network), Case("DeepFool", "l2", network))
]


def measure(case: Case, network: nn.Module, x: Tensor, y: Tensor, repetitions: int) -> Measured:
    """Race all implementations of a case."""
    eps = EPS[case.norm]
    if case.attack == "DeepFool":
        right = _right(network, x, y)
        x, y, eps = x[right], y[right], float("inf")
    judge = partial(score, network, x, y, p=case.norm, eps=eps)
    return Measured(case, len(x), race(case.implementations(), network, x, y, judge, repetitions))


def calibrate(norm: Norm, robust: nn.Module, x: Tensor, y: Tensor, share: float = 0.6) -> float:
    """The budget at which PGD-40 leaves that share of all images standing, by bisection."""
    return _bisect(lambda eps: standing(norm, eps, robust, x, y) > share, 0.0, {"linf": 0.4, "l2": 6.0}[norm])


def standing(norm: Norm, eps: float, network: nn.Module, x: Tensor, y: Tensor) -> float:
    """Share of all images that PGD-40 leaves standing."""
    attack = PGD(norm=norm, eps=eps, steps=STEPS["PGD"], step_size=STEP * eps)
    return _right(network, attack(network, x, y).inputs, y).float().mean().item()


def _right(network: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    with torch.no_grad():
        return predict(network(x)) == y


def _bisect(above: Callable[[float], bool], low: float, high: float, rounds: int = 8) -> float:
    for _ in range(rounds):
        middle = (low + high) / 2
        low, high = (middle, high) if above(middle) else (low, middle)
    return (low + high) / 2
