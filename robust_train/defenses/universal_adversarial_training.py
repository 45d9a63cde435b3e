"""Universal adversarial training: against one perturbation of all images."""

from dataclasses import dataclass

from torch import Tensor

from robust_train.defenses.free_adversarial_training import FreeAdversarialTraining
from robust_train.defenses.processes import averaged


@dataclass(frozen=True)
class UniversalAdversarialTraining(FreeAdversarialTraining):
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

    needs_replays = False  # what it climbs on is the same for all images

    def _rows(self, x: Tensor) -> Tensor:
        return x[:1]

    def _slope(self, g: Tensor) -> Tensor:
        return averaged(g.sum(0, keepdim=True))
