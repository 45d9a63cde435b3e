"""Free adversarial training: the gradient of the inputs comes with that of the weights."""

from dataclasses import dataclass, replace

from torch import Tensor, nn

from robust_train.checks import check_positive
from robust_train.defenses.base import Defense, Step
from robust_train.defenses.carrying import carried, climb, forget
from robust_train.defenses.schedule import Ramp, at, check_budget, check_schedule
from robust_train.perturbations.admissible import check_batch


@dataclass(frozen=True)
class FreeAdversarialTraining(Defense):
    r"""Train on a perturbation that climbs by one step with every step of the weights, in one pass.

    Each batch comes m times in a row (``replays`` of the data), and each time

    .. math:: \theta \leftarrow \theta - \eta \nabla_\theta J(\theta, x + \delta), \qquad
        \delta \leftarrow \mathrm{clip}\big(\delta + \alpha\, \mathrm{sign} \nabla_x J(\theta, x + \delta),
        -\epsilon, \epsilon\big)

    with both gradients of the same pass. The delta of a row goes on to the row of the next batch, and
    starts at zero anew where a training is resumed. :math:`x + \delta` is clipped to [0, 1], of which the
    paper does not speak, and its gradient is the one at the clipped image. What augments a batch is listed
    before, and makes the same of it in all its replays, but for ramps, which move on. Where gradients are
    accumulated, the perturbation climbs with every batch.

    Args:
        eps: Budget in linf, in pixel units; a ramp for one that grows.
        step_size: Length of a step as a multiple of eps.

    Raises:
        ValueError: A number has no meaning.

    Warns:
        UserWarning: The training gives each batch once.

    References:
        Adversarial training for free! (Shafahi et al., 2019)

    Example:
        >>> from robust_train import Digits
        >>> defense, data = FreeAdversarialTraining(eps=0.1), Digits(replays=4)
    """

    eps: float | Ramp = 8 / 255
    step_size: float = 1.0

    maximises = True
    reads_input_gradient = True
    needs_replays = True

    def __post_init__(self) -> None:
        check_schedule(self, "eps")
        check_budget(self, self.eps)
        check_positive(self, "step_size")

    def begin(self, network: nn.Module) -> None:
        forget(network)

    def batch(self, network: nn.Module, step: Step) -> Step:
        check_batch(step.inputs, step.labels, (0.0, 1.0))
        delta = carried(network, self._rows(step.inputs))
        return replace(step, inputs=(step.inputs + delta).clamp(0, 1))

    def after_backward(self, network: nn.Module, step: Step) -> None:
        assert step.inputs.grad is not None
        g, eps = self._slope(step.inputs.grad), at(self.eps, step.progress)
        climb(network, carried(network, g), g, self.step_size * eps, eps)

    def _rows(self, x: Tensor) -> Tensor:
        """As many as there are perturbations."""
        return x

    def _slope(self, g: Tensor) -> Tensor:
        """Of the perturbations, from that of the images."""
        return g
