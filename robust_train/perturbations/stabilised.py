"""A search that numbers too large or too flat for single precision cannot stop."""

from dataclasses import dataclass, field, replace
from typing import Self

from torch import Tensor

from robust_train.attacking.stabilising import stabilised
from robust_train.norms import Norm
from robust_train.perturbations.base import Budgeted, check_positive
from robust_train.perturbations.pgd import PGD
from robust_train.randomness import Streams
from robust_train.types import Goal, Network, Perturbed


@dataclass(frozen=True, kw_only=True)
class Stabilised(Budgeted):
    r"""Another search, on the same network with gradients that do not vanish.

    .. math:: z \mapsto s\, \frac{z}{\max_k z_k - \min_k z_k}, \qquad
        \sigma'(a) \mapsto \max(\sigma'(a), \kappa)

    The search sees the network in double precision, its logits scaled to the same spread for every image,
    and its units (ReLU, sigmoid and tanh modules) with a least derivative where they are saturated. What
    it finds is judged on the network as it is. Beside the same search without, it tells whether a network
    resists or only hides its gradients, as those of ``SaturationPenalty`` and ``Distillation`` do.

    Args:
        norm: Of the budget; by default that of the search.
        eps: Budget, in pixel units; by default that of the search.
        attack: The search, which takes norm, eps and bounds from here.
        spread: s, the difference between the largest and the smallest logit.
        slope: kappa, the least derivative of a unit; 0 to leave units as they are.

    Raises:
        ValueError: A number has no meaning, or the search has to learn.

    References:
        Comment on "Biologically inspired protection of deep networks from adversarial attacks"
        (Brendel and Bethge, 2017)

    Example:
        >>> import torch
        >>> network = torch.nn.Linear(4, 2)  # with logits so far apart that the softmax is exactly 0 and 1
        >>> network.weight.data, network.bias.data = torch.full((2, 4), 1e3), torch.zeros(2)
        >>> network.weight.data[1] *= -1
        >>> x, label = torch.full((1, 4), 0.2), torch.tensor([0])
        >>> bool((PGD(eps=0.1)(network, x, label).inputs == x).all())
        False
    """

    norm: Norm = None  # type: ignore[assignment]
    eps: float = None  # type: ignore[assignment]
    attack: Budgeted = field(default_factory=PGD)
    spread: float = 10.0
    slope: float = 0.01
