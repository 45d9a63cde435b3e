"""A search that numbers too large or too flat for single precision cannot stop."""

from dataclasses import dataclass, field, replace
from typing import Self

from torch import Tensor

from robust_train.attacking.stabilising import stabilised
from robust_train.checks import check_positive
from robust_train.perturbations.base import Budgeted, check_fitted, unmeasured
from robust_train.perturbations.pgd import PGD
from robust_train.randomness import Streams
from robust_train.types import BallNorm, Goal, Network, Perturbed


@dataclass(frozen=True, kw_only=True)
class Stabilised(Budgeted):
    r"""Another search, on the same network with gradients that do not vanish.

    .. math:: z_k \mapsto -\log\big(1 + \max_j z_j - z_k\big), \qquad
        \sigma'(a) \mapsto \max\Big(\sigma'(a), \frac{\kappa}{1 + a^2}\Big)

    The search sees the network in double precision, its logits in the same order but logarithmically far
    apart, so that no softmax is flat, and its units (ReLU, sigmoid and tanh modules) with a derivative that
    tells, where they are saturated, how far. A network that casts inside keeps its own precision. What the
    search finds is judged on the network as it is. The authors scale the logits instead, by a factor to be
    chosen. Beside the same search without, it tells whether a network resists or only hides its gradients, as
    those of ``SaturationPenalty`` and ``Distillation`` do.

    Args:
        norm: Norm of the budget; by default that of the search.
        eps: Budget, in pixel units; by default that of the search.
        attack: The search, which takes norm, eps and bounds from here.
        slope: kappa, of the least derivative of a unit; 0 to leave units as they are.

    Raises:
        ValueError: A number has no meaning, or the search has to learn.

    References:
        Comment on "Biologically inspired protection of deep networks from adversarial attacks"
        (Brendel and Bethge, 2017)

    Example:
        >>> import torch
        >>> network = torch.nn.Linear(4, 2)  # the softmax of such logits is exactly 0 or 1
        >>> network.weight.data = 1e3 * torch.tensor([[1.0], [-1.0]]).expand(2, 4).clone()
        >>> x, label = torch.full((1, 4), 0.2), torch.tensor([0])
        >>> plain = PGD(eps=0.1, random_start=False)
        >>> plain(network, x, label).size, Stabilised(attack=plain)(network, x, label).size.round(decimals=4)
        (tensor([0.], dtype=torch.float64), tensor([0.1000], dtype=torch.float64))
    """

    norm: BallNorm | None = None  # type: ignore[assignment]
    eps: float | None = None  # type: ignore[assignment]
    attack: Budgeted = field(default_factory=PGD)
    slope: float = 0.01

    def __post_init__(self) -> None:
        norm = self.attack.norm if self.norm is None else self.norm
        eps = self.attack.eps if self.eps is None else self.eps
        check_fitted(self, self.attack)
        attack = replace(self.attack, norm=norm, eps=eps, bounds=self.bounds)
        for name, value in (("norm", norm), ("eps", eps), ("attack", attack)):
            object.__setattr__(self, name, value)
        super().__post_init__()
        check_positive(self, "slope", zero=True)

    def maximising(self) -> Self:
        return replace(self, attack=self.attack.maximising())

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        with stabilised(network, self.slope, inputs.dtype) as view:
            found = self.attack(view, inputs.double(), goal.labels, goal=goal, rng=rng)
        return Perturbed(found.inputs.to(inputs), unmeasured(inputs))
