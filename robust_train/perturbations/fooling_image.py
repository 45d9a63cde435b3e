"""Images of noise that a network is sure about."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from robust_train.attacking.best import Best
from robust_train.attacking.dropping import Standing
from robust_train.attacking.gradients import input_gradient
from robust_train.checks import check_positive
from robust_train.norms import steepest
from robust_train.perturbations.base import Budgeted, unmeasured
from robust_train.randomness import Streams
from robust_train.types import BallNorm, Goal, Network, Perturbed


@dataclass(frozen=True, kw_only=True)
class FoolingImage(Budgeted):
    r"""Ascend from noise until a class is predicted with high confidence.

    .. math:: x_0 \sim \mathcal{U}, \qquad x \leftarrow \Pi\Big(x + \alpha\,
        \frac{\nabla_x \log p_k(x)}{\|\nabla_x \log p_k(x)\|_2}\Big) \quad \text{until} \quad p_k(x) \ge c

    The image to perturb gives its place and nothing else: the budget is the whole box. The class k
    is the target, or, where the goal is to leave a label, the one that the network sees most of in
    the noise. What is returned is the most confident image of the walk.

    Args:
        confidence: Probability of the class at which the walk ends.
        steps: Gradient steps, at the most.
        step_size: Length of a step in l2.

    Raises:
        ValueError: There are no bounds, so that there is no box to draw noise from.

    References:
        Deep neural networks are easily fooled: high confidence predictions for unrecognizable
        images (Nguyen, Yosinski and Clune, 2015)

    Example:
        >>> network, target = torch.nn.Linear(3, 3), torch.tensor([2])
        >>> _ = network.weight.data.copy_(20 * torch.eye(3))
        >>> found = FoolingImage()(network, torch.rand(1, 3), target, goal=Goal(target, targeted=True))
        >>> bool(network(found.inputs).softmax(1)[0, 2] >= 0.996)
        True
    """

    norm: BallNorm = field(init=False, repr=False, default="linf")
    eps: float = field(init=False, repr=False, default=1.0)
    confidence: float = 0.996
    steps: int = 200
    step_size: float = 0.1

    def __post_init__(self) -> None:
        if self.bounds is None:
            raise ValueError("FoolingImage: without bounds there is no box to draw noise from: give bounds.")
        object.__setattr__(self, "eps", self.bounds[1] - self.bounds[0])
        check_positive(self, "steps", "step_size")
        if not 0 < self.confidence < 1:
            raise ValueError(
                f"FoolingImage: confidence must be a probability between 0 and 1, not {self.confidence}."
            )

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        assert self.bounds is not None
        low, high = self.bounds
        x = low + (high - low) * rng.uniform(tuple(inputs.shape[1:]), inputs)
        best, standing = Best(x), Standing(len(x), x.device)
        with torch.no_grad():
            logits = network(x)
        k = logits.masked_fill(goal.avoided(logits), -torch.inf).argmax(1)
        for _ in range(self.steps + 1):
            _, log_p, gradient = input_gradient(network, x, lambda z: _log_probability(z, k))  # noqa: B023
            best.update(standing.rows, x, log_p)
            x = (x + self.step_size * steepest(gradient, "l2")).clamp(low, high)
            x, k = standing.drop(log_p.exp() >= self.confidence, x, k)
            if not len(x):
                break
        return Perturbed(best.inputs, unmeasured(inputs))


def _log_probability(logits: Tensor, classes: Tensor) -> Tensor:
    return logits.log_softmax(1).gather(1, classes[:, None]).squeeze(1)
