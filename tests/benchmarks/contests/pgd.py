"""PGD: forty steps in a budget, from a random start."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from robust_train.perturbations import PGD
from robust_train.types import Norm, predict
from tests.benchmarks.contest import Attack, Contest
from tests.benchmarks.implementations import OURS, STEP, WHOLE, adv_lib, bounded, foolbox, ours, torchattacks
from tests.benchmarks.promises import as_strong, fair, faster, fewer_passes, no_slower

STEPS = 40

# Found by ``--calibrate``: of 1,000 held-out training images, PGD-40 leaves 60.2 % (linf) and 60.1 % (l2)
# standing on the adversarially trained network, and 0.0 % and 2.4 % on the undefended one.
EPS: dict[Norm, float] = {"linf": 0.135, "l2": 1.15}


def _attacks(norm: Norm) -> dict[str, Attack]:
    """One step size for all, ours in its two modes first; adv-lib has linf alone."""
    eps, size = EPS[norm], STEP * EPS[norm]
    mine = PGD(norm=norm, eps=eps, steps=STEPS, step_size=size)
    kind = {"linf": torchattacks().PGD, "l2": torchattacks().PGDL2}[norm]
    theirs = {"linf": foolbox().LinfPGD, "l2": foolbox().L2PGD}[norm](abs_stepsize=size, steps=STEPS)
    found = {
        OURS: ours(mine),
        WHOLE: ours(replace(mine, drop=False)),
        "torchattacks": lambda f, x, y, rng: kind(f, eps=eps, alpha=size, steps=STEPS)(x, y),
        "foolbox": lambda f, x, y, rng: theirs(bounded(f), x, y, epsilons=eps)[1],
    }
    if norm == "linf":
        pgd = adv_lib().pgd_linf
        found["adv-lib"] = lambda f, x, y, rng: pgd(f, x, y, eps, steps=STEPS, absolute_step_size=size)
    return found


def _contest(norm: Norm) -> Contest:
    return Contest(
        title=f"PGD-{STEPS} {norm}, eps {EPS[norm]:g}",
        norm=norm,
        attacks=lambda: _attacks(norm),
        promises={
            "standard": [fair(0, 0.05), as_strong(), faster(4), no_slower(WHOLE, 1.03), fewer_passes(5)],
            "adversarial": [fair(0.57, 0.63), as_strong(), faster(1.4), no_slower(WHOLE, 1.03)],
        },
        eps=EPS[norm],
    )


CONTESTS = [_contest("linf"), _contest("l2")]


def calibrate(norm: Norm, robust: nn.Module, x: Tensor, y: Tensor, share: float = 0.6) -> float:
    """The budget at which PGD-40 leaves that share of all images standing, by bisection."""
    low, high = 0.0, {"linf": 0.4, "l2": 6.0}[norm]
    for _ in range(8):
        middle = (low + high) / 2
        low, high = (middle, high) if standing(norm, middle, robust, x, y) > share else (low, middle)
    return (low + high) / 2


def standing(norm: Norm, eps: float, network: nn.Module, x: Tensor, y: Tensor) -> float:
    """Share of all images that PGD-40 leaves standing."""
    found = PGD(norm=norm, eps=eps, steps=STEPS, step_size=STEP * eps)(network, x, y).inputs
    with torch.no_grad():
        return (predict(network(found)) == y).float().mean().item()
