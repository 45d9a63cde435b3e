"""The fast gradient sign method."""

from dataclasses import dataclass, field

from torch import Tensor

from robust_train.attacking.gradients import input_gradient
from robust_train.norms import steepest
from robust_train.objectives import CrossEntropy, Objective
from robust_train.perturbations.base import Budgeted, unmeasured
from robust_train.randomness import Streams
from robust_train.types import Goal, Network, Perturbed


@dataclass(frozen=True, kw_only=True)
class FGSM(Budgeted):
    r"""One step of length eps in the steepest direction of the loss.

    .. math:: r = \epsilon\, \mathrm{sign} \nabla_x \ell(f(x), y)

    The sign is the steepest direction of linf; in l2 and l1 theirs takes its place. In linf
    and l2, on a binary linear network, the step is the worst one of an unbounded image space.

    Args:
        objective: The loss that is ascended.

    References:
        Explaining and harnessing adversarial examples (Goodfellow et al., 2015)

    Example:
        >>> import torch
        >>> network = torch.nn.Linear(4, 3)
        >>> found = FGSM(eps=0.1)(network, torch.full((2, 4), 0.5), torch.tensor([0, 1]))
        >>> bool((found.size <= 0.1).all())
        True
    """

    objective: Objective = field(default_factory=CrossEntropy)

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        gradient = input_gradient(network, inputs, lambda z: self.objective(z, goal)).gradient
        r = self.eps * steepest(gradient, self.norm)
        return Perturbed(self.ball(inputs).project(inputs + r), unmeasured(inputs))
