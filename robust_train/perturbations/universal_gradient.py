"""Universal perturbations by stochastic gradient ascent."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robust_train.attacking.gradients import input_gradient
from robust_train.checks import check_positive
from robust_train.norms import steepest
from robust_train.perturbations.shared_vector import SharedVector
from robust_train.randomness import Streams
from robust_train.types import Goal, Network


@dataclass(frozen=True, kw_only=True)
class UniversalGradient(SharedVector):
    r"""Ascend the mean loss of a batch along the steepest direction of the norm, in one shared vector.

    .. math:: v \leftarrow \Pi_{\|v\|_p \le \epsilon}\Big(v + \alpha_t\, \mathrm{steepest}\big(
        \nabla_v \sum_{i \in B} \min(\ell(f(x_i + v), f(x_i)),\, \beta)\big)\Big)

    The loss of an image is cut off at :math:`\beta`, so that images that are fooled by far leave the
    step to the others. It is the margin where the authors cut off the cross-entropy, which fools as
    many, and :math:`\alpha_t` falls to zero, so that the last vector counts: that of the pass which fools
    the most images is no better on others. Small batches do better where there are few images.
    Pixels that the box holds in one image count as well, which fools more of the others.

    Args:
        steps: Passes over the images, each with one forward and one backward pass an image.
        step_size: First step, in the norm; by default 0.4 eps.
        cut: Margin from which a fooled image no longer counts, in units of the logits. Less than the usual
            margin of a prediction fools fewer images: where that is in the hundreds, give as much.

    References:
        Universal adversarial training (Shafahi et al., 2020)

    Example:
        >>> images, labels = torch.rand(8, 4), torch.zeros(8, dtype=torch.int64)
        >>> network, rng = torch.nn.Linear(4, 3), Streams.of(0, [0])
        >>> found = UniversalGradient(eps=0.5).fit(network, [(images, labels)], rng)
        >>> bool((found(network, images, labels).size <= 0.5).all())
        True
    """

    batch_size: int = 50
    steps: int = 9
    step_size: float | None = None
    cut: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "steps", "step_size")
        check_positive(self, "cut", zero=True)

    def learn(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Tensor:
        v, alpha = torch.zeros_like(inputs[0]), self.step_size or 0.4 * self.eps
        orders = rng.uniform((self.steps, len(inputs)))[0].argsort(dim=1, stable=True)
        batches = [rows for order in orders for rows in order.to(inputs.device).split(self.batch_size)]
        for t, rows in enumerate(batches):
            gradient = self._gradient(network, inputs[rows], goal.take(rows), v)
            v = self.project(v + alpha * (1 - t / len(batches)) * steepest(gradient[None], self.norm)[0])
        return v

    def _gradient(self, network: Network, x: Tensor, goal: Goal, v: Tensor) -> Tensor:
        """Of the sum of the losses, with respect to the images."""
        found = input_gradient(network, self.shifted(x, v), lambda z: (-goal.margin(z)).clamp_max(self.cut))
        # Taken where the box leaves the images, as if it moved with them: pixels that it holds count too.
        return found.gradient.sum(0)
