"""Random transformations of the training images."""

from dataclasses import dataclass, field, replace
from zlib import crc32

from torch import Tensor

from robust_train.defenses.base import Defense, Step
from robust_train.defenses.schedule import Ramp, at, check_schedule
from robust_train.perturbations.transformed import check_limits
from robust_train.randomness import Streams
from robust_train.transforms import Rigid, Transform
from robust_train.types import Network


@dataclass(frozen=True)
class Jitter(Defense):
    r"""Train on each image in a pose of its own, drawn anew at every step.

    .. math:: \min_\theta \frac{1}{n} \sum_i J(\theta, T_{p_i}(x_i), y_i), \qquad
        p_i \sim \mathrm{U}(id - s\,l, id + s\,l)

    The review's virtual jittering makes the data set larger; drawn on the fly it costs no memory. The
    worst of k such draws is ``AdversarialTraining(WorstPose(grid=(), draws=k, identity=False))``, of
    which k = 1 is this defense, but that what others take for the clean inputs moves too. Several
    jitters in a stack draw independently unless they are equal.

    Args:
        transform: The family of transformations.
        limits: Largest change l of each parameter, in its unit.
        strength: Share s of the limits, or how it goes in the course of the training.

    Raises:
        ValueError: There is not one positive limit for each parameter, or the strength is negative.

    References:
        Exploring the landscape of spatial robustness (Engstrom et al., 2019)

    Example:
        >>> from robust_train.transforms import Rotation
        >>> defense = Jitter(Rotation(), limits=(30.0,), strength=Ramp(0.0, 1.0, until=0.5))
    """

    transform: Transform = field(default_factory=Rigid)
    limits: tuple[float, ...] = (30.0, 3.0, 3.0)
    strength: float | Ramp = 1.0

    augments = True

    def __post_init__(self) -> None:
        check_limits(self, self.transform, self.limits)
        check_schedule(self, "strength", zero=True)

    def batch(self, network: Network, step: Step) -> Step:
        rng = step.rng.fold(crc32(repr(self).encode()))
        s = at(self.strength, step.progress)
        inputs = self._moved(step.inputs, s, rng)
        perturbed = step.clean is not step.inputs
        clean = self._moved(step.clean, s, rng) if perturbed else inputs
        return replace(step, inputs=inputs, clean=clean)

    def _moved(self, x: Tensor, strength: float, rng: Streams) -> Tensor:
        limits = tuple(strength * limit for limit in self.limits)
        poses = self.transform.drawn(x, limits, rng).squeeze(1)
        return self.transform(x, poses, rng.fold(0)).clamp(0, 1)
