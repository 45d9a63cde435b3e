"""MART: adversarial training that minds what is misclassified."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from robust_train.defenses.adversarial_training import AdversarialTraining
from robust_train.defenses.base import Step
from robust_train.defenses.divergence import divergence
from robust_train.types import Network


@dataclass(frozen=True)
class MART(AdversarialTraining):
    r"""Adversarial training with a margin, and a steady prediction where the clean input is hard.

    With p the softmax of the network and :math:`x'` what the perturbation made of x,

    .. math:: \min_\theta \frac{1}{n} \sum_i
        -\log p_{y_i}(x'_i) - \log\big(1 - \max_{k \ne y_i} p_k(x'_i)\big)
        + \lambda\, \mathrm{KL}\big(p(x_i) \,\|\, p(x'_i)\big) \big(1 - p_{y_i}(x_i)\big)

    The passes of the loss move the running statistics of batch normalisation by the perturbed inputs first
    and the clean ones after; in the authors' code the clean ones come first.

    Args:
        perturbation: The inner maximisation, run to its end on every sample.
        eps: Budget in place of the perturbation's own, in pixel units; a ramp for one that grows.
        mode: Which statistics the inner maximisation sees.
        weight: Weight lambda of the divergence.

    References:
        Improving adversarial robustness requires revisiting misclassified examples (Wang et al., 2020)

    Example:
        >>> from robust_train import PGD
        >>> defense = MART(PGD(eps=0.1, steps=5), weight=6.0)
    """

    weight: float = 5.0

    replaces_loss = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.weight >= 0:
            raise ValueError(f"MART: weight must be at least 0, not {self.weight}.")

    def loss(self, network: Network, step: Step, loss: Tensor) -> Tensor:
        clean, perturbed = network(step.clean), step.logits
        missed = -torch.expm1(-cross_entropy(clean, step.labels, reduction="none"))
        return _boosted(perturbed, step) + self.weight * missed * divergence(clean, perturbed)


def _boosted(logits: Tensor, step: Step) -> Tensor:
    """Cross-entropy, and how far the likeliest wrong class is from certain."""
    rows = torch.arange(len(logits), device=logits.device)
    wrong = logits.scatter(1, step.labels[:, None], -torch.inf).argmax(1)
    # log(1 - p_k) from the other logits: exact where p_k is next to 1.
    others = logits.index_put((rows, wrong), logits.new_tensor(-torch.inf)).logsumexp(1)
    return cross_entropy(logits, step.targets, reduction="none") + logits.logsumexp(1) - others
