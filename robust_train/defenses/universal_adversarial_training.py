"""Universal adversarial training: against one perturbation of all images."""

from dataclasses import dataclass

from torch import nn

from robust_train.defenses.base import Defense, Step
from robust_train.defenses.carrying import carried, climb, forget, perturbed
from robust_train.defenses.processes import averaged
from robust_train.defenses.schedule import Ramp


@dataclass(frozen=True)
class UniversalAdversarialTraining(Defense):
    r"""Train on one perturbation of all images, which climbs by one step with every step of the weights.

    .. math:: \theta \leftarrow \theta - \eta \nabla_\theta \bar J(\theta, \delta), \qquad
        \delta \leftarrow \mathrm{clip}\big(\delta + \alpha\, \mathrm{sign} \nabla_\delta
        \bar J(\theta, \delta), -\epsilon, \epsilon\big)

    with :math:`\bar J` the mean loss of the batch, on all processes, at :math:`x + \delta`, and both
    gradients of the same pass: the training costs hardly more than one without a defense. It guards
    against universal perturbations, not against those made for an image. Delta is
    zero anew where a training is resumed. :math:`x + \delta` is clipped to [0, 1], and its gradient is
    the one at the clipped image.

    Args:
        eps: Budget in linf, in pixel units; a ramp for one that grows.
        step_size: Length of a step as a multiple of eps.

    Raises:
        ValueError: A number has no meaning.

    References:
        Universal adversarial training (Shafahi et al., 2020)

    Example:
        >>> defense = UniversalAdversarialTraining(eps=0.1)
    """

    eps: float | Ramp = 8 / 255
    step_size: float = 1.0

    maximises = True
    reads_input_gradient = True

    def __post_init__(self) -> None:
        if not ((isinstance(self.eps, Ramp) or self.eps > 0) and self.step_size > 0):
            raise ValueError("UniversalAdversarialTraining: eps and step_size must be positive.")

    def begin(self, network: nn.Module) -> None:
        forget(network)

    def batch(self, network: nn.Module, step: Step) -> Step:
        return perturbed(step, carried(network, step.inputs[:1]))

    def after_backward(self, network: nn.Module, step: Step) -> None:
        eps = self.eps(step.progress) if isinstance(self.eps, Ramp) else self.eps
        assert step.inputs.grad is not None
        g = averaged(step.inputs.grad.sum(0, keepdim=True))
        climb(network, carried(network, step.inputs[:1]), g, self.step_size * eps, eps)
