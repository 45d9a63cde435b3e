"""Smallest perturbations of stochastic networks, taken to where draws that no search has seen agree."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from robust_train.attacking.rejection import leaving
from robust_train.perturbations.base import Minimal
from robust_train.types import Network, Perturbed

_STRETCHES = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0)


def stretched(
    perturbation: Minimal, networks: Sequence[Network], inputs: Tensor, found: Perturbed
) -> Perturbed:
    r"""The shortest of a few multiples of r that takes the label away in every one of the networks.

    A minimal search stops at the boundary of the draws that it attacks, and the boundary of others lies on
    either side of it: half of what was found would not be confirmed. So r becomes :math:`(1 + s) r`, up to
    three times as long, and clipped to the box; where none of that convinces all networks, r stays.

    Args:
        perturbation: What has searched.
        networks: The same network with other draws, several times.
        inputs: ``(N, C, H, W)``, unperturbed.
        found: What the search returned; where its size is inf, nothing is tried.
    """
    goals = [leaving(network, network(inputs)) for network in networks]
    perturbed, left = found.inputs.clone(), found.size.isinf()
    for stretch in _STRETCHES:
        rows = (~left).nonzero().squeeze(1)
        if not len(rows):
            break
        longer = torch.lerp(inputs[rows], found.inputs[rows], 1 + stretch)
        if perturbation.bounds:
            longer = longer.clamp(*perturbation.bounds)
        votes = [g.take(rows).reached(network(longer)) for g, network in zip(goals, networks, strict=True)]
        agreed = torch.stack(votes).all(0)
        perturbed[rows[agreed]] = longer[agreed]
        left[rows[agreed]] = True
    return replace(found, inputs=perturbed)
