"""Fine-tuning on what a perturbation made of the images before it."""

from copy import deepcopy
from dataclasses import dataclass, field, replace

from torch import nn

from robust_train.attacking.modes import evaluating
from robust_train.checks import check_positive
from robust_train.defenses.base import Defense, Step
from robust_train.perturbations.base import Perturbation, check_fitted
from robust_train.perturbations.deepfool import DeepFool
from robust_train.types import Network

_START = "_fine_tuned_from"


@dataclass(frozen=True)
class AdversarialFineTuning(Defense):
    r"""Train on perturbations of the network as it was when the training began.

    .. math:: \min_\theta \frac{1}{n} \sum_i J\big(\theta, x_i + \alpha\, r(x_i; \theta_0), y_i\big)

    The paper goes on for five epochs at half the learning rate, on images that DeepFool perturbed once. Here
    they are perturbed anew each time, against a copy of the first weights :math:`\theta_0`: the same images
    where the perturbation draws nothing, and no need to keep them. A training that is resumed takes the
    weights with which it is resumed for the first ones.

    What was reported is the robustness to the perturbation that it was tuned on. The images stand still while
    the network moves away from them, so that against searches of the tuned network the gain is smaller
    than that of ``AdversarialTraining``, which perturbs anew in every step (Madry et al., 2018).

    Args:
        perturbation: By default DeepFool as its authors published it, without refinement.
        alpha: Factor of the perturbation; the result is clipped to [0, 1].

    Raises:
        ValueError: The factor is not positive, or the perturbation has to learn.

    References:
        DeepFool: a simple and accurate method to fool deep neural networks (Moosavi-Dezfooli,
        Fawzi and Frossard, 2016)
        Towards deep learning models resistant to adversarial attacks (Madry et al., 2018)

    Example:
        >>> defense = AdversarialFineTuning(DeepFool(norm="linf"))
    """

    perturbation: Perturbation = field(default_factory=DeepFool.as_published)
    alpha: float = 1.0

    maximises = True

    def __post_init__(self) -> None:
        check_positive(self, "alpha")
        check_fitted(self, self.perturbation)

    def begin(self, network: nn.Module) -> None:
        vars(network).pop(_START, None)

    def batch(self, network: nn.Module, step: Step) -> Step:
        start = _start(network)
        x, search = step.inputs, self.perturbation.maximising()
        with evaluating(start):
            r = search(start, x, step.labels, rng=step.rng).inputs - x
        return replace(step, inputs=(x + self.alpha * r).clamp(0, 1))


def _start(network: nn.Module) -> Network:
    """A copy of the network at the first step; in a list, so that it is none of the network's modules."""
    copies: list[nn.Module] | None = getattr(network, _START, None)
    if copies is None:
        copies = [deepcopy(network)]
        setattr(network, _START, copies)
    return copies[0]
