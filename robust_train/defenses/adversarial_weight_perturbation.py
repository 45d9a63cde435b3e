"""Adversarial weight perturbation: min-max in inputs and weights."""

from dataclasses import dataclass, replace

import torch
from torch import nn

from robust_train.attacking.modes import untouched
from robust_train.defenses.base import Defense, Step
from robust_train.defenses.processes import averaged
from robust_train.defenses.schedule import Ramp, at, check_schedule
from robust_train.norms import steepest


@dataclass(frozen=True)
class AdversarialWeightPerturbation(Defense):
    r"""Take each gradient where the weights of every layer were moved a little to increase the loss.

    With L the mean loss of the whole stack of defenses on the perturbed inputs :math:`x'`, and for every
    tensor of weights w with more than one dimension,

    .. math:: v = \gamma \|w\|_2 \frac{\nabla_w L(\theta, x')}{\|\nabla_w L(\theta, x')\|_2}, \qquad
        \theta \leftarrow \theta - \eta \nabla_\theta L(\theta + v, x')

    It goes with what searches for the perturbed inputs: ``AdversarialTraining``, ``TRADES`` or ``MART``.
    The weights are put back, bit for bit, before the optimizer steps, so that its weight decay sees
    them rather than the moved ones, as it does in the authors' code. The pass that finds v moves no
    statistics of batch normalisation, and dropout draws in it what it draws in the one that follows. Where a
    step does not come to its end, the weights are put back all the same.

    Args:
        gamma: Length of v relative to the weights. The paper takes 0.01, and 0.005 over ``TRADES``; a
            ramp with a jump gives it a late start.

    Raises:
        ValueError: The length is negative, or, in a step, no such weight asks for a gradient.

    References:
        Adversarial weight perturbation helps robust generalization (Wu et al., 2020)

    Example:
        >>> from robust_train import TRADES
        >>> defenses = [TRADES(eps=0.1), AdversarialWeightPerturbation(gamma=0.005)]
    """

    gamma: float | Ramp = 0.01

    moves_weights = True

    def __post_init__(self) -> None:
        check_schedule(self, "gamma", zero=True)

    def batch(self, network: nn.Module, step: Step) -> Step:
        gamma = at(self.gamma, step.progress)
        weights = {k: w for k, w in network.named_parameters() if w.ndim > 1 and w.requires_grad}
        if not weights:
            raise ValueError(
                "AdversarialWeightPerturbation: no weight of more than one dimension asks for a gradient: "
                "unfreeze one, or leave it out."
            )
        before = {k: w.detach().clone() for k, w in weights.items()}
        with untouched(network):
            loss = step.objective(step).mean()
            gradients = torch.autograd.grad(loss, list(weights.values()), materialize_grads=True)
        step = replace(step, weights=before | step.weights)
        try:
            with torch.no_grad():
                for w, g in zip(weights.values(), gradients, strict=True):
                    w.add_(gamma * w.norm() * steepest(averaged(g)[None], "l2")[0])
        except BaseException:
            step.put_back(network)
            raise
        torch.clear_autocast_cache()  # of the weights in half precision, which are no longer these
        return step

    def after_backward(self, network: nn.Module, step: Step) -> None:
        step.put_back(network)
