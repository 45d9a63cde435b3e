"""Perturbations that could be printed on a pair of glasses."""

from dataclasses import dataclass, field, replace
from itertools import product

import torch
from torch import Tensor

from robust_train.attacking.best import Best
from robust_train.attacking.gradients import backward, input_gradient
from robust_train.checks import check_positive
from robust_train.norms import norm, steepest, unsqueeze_like
from robust_train.objectives import Margin, Objective
from robust_train.perturbations.base import Budgeted, unmeasured
from robust_train.perturbations.masked import off_the_mask
from robust_train.randomness import Streams
from robust_train.transforms.eyeglass_frame import EyeglassFrame
from robust_train.transforms.mask import Mask
from robust_train.transforms.printability import non_printability
from robust_train.transforms.total_variation import total_variation
from robust_train.types import BallNorm, Goal, Network, Perturbed


@dataclass(frozen=True, kw_only=True)
class Eyeglasses(Budgeted):
    r"""Change what a mask covers, smoothly and in colours that a printer has.

    .. math:: \max_r\; \ell(f(x + M r), y) - \kappa_1 \mathrm{TV}(M(x + r))
        - \kappa_2 \mathrm{NPS}(M(x + r)), \qquad \|M r\|_p \le \epsilon

    by ascent with momentum. To leave a label is dodging; a ``target``, or a targeted goal, is
    impersonation. Of the iterates that reach the goal the one that is easiest to print counts, in the
    two terms together; where there is none, that with the smallest margin.

    Departures from the paper: each image has a frame of its own, rather than one for several
    images of a wearer; the terms judge the colours of the frame, not their change; and steps are
    of equal length in the norm.

    Args:
        eps: Budget inside the mask; the default lets each pixel have any value.
        mask: Where the images may change.
        target: Class that all images are to be taken for, unless the caller gives another goal; by default
            they are to leave their own.
        smoothness: Weight kappa_1 of the total variation, a pixel of the mask.
        printability: Weight kappa_2 of the distance from what can be printed, a pixel of the mask.
        levels: Values that each channel of a printed colour can have.
        steps: Gradient steps.
        step_size: Length of the first step, in the norm, falling to zero; by default eps / 10.
        momentum: Share of the previous direction that is kept.
        objective: The loss that is ascended; ``CrossEntropy()`` is the paper's.

    References:
        Accessorize to a crime: real and stealthy attacks on state-of-the-art face recognition
        (Sharif et al., 2016)

    Example:
        >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 3))
        >>> x = torch.rand(2, 1, 8, 8)
        >>> found = Eyeglasses(steps=5)(network, x, torch.tensor([0, 1]))
        >>> bool(((found.inputs == x) | EyeglassFrame()(x)).all())
        True
    """

    norm: BallNorm = "linf"
    eps: float = 1.0
    mask: Mask = field(default_factory=EyeglassFrame)
    target: int | None = None
    smoothness: float = 1.0
    printability: float = 1.0
    levels: tuple[float, ...] = (0.1, 0.5, 0.9)
    steps: int = 100
    step_size: float | None = None
    momentum: float = 0.4
    objective: Objective = field(default_factory=Margin)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "steps", "step_size")
        check_positive(self, "smoothness", "printability", "momentum", "target", zero=True)

    def goal(self, network: Network, inputs: Tensor, labels: Tensor) -> Goal:
        goal = super().goal(network, inputs, labels)
        if self.target is None:
            return goal
        return replace(goal, labels=torch.full_like(labels, self.target), targeted=True)

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        mask, ball, best = self.mask(inputs), self.ball(inputs), Best(inputs)
        rows, alpha = torch.arange(len(inputs), device=inputs.device), self.step_size or self.eps / 10
        x, m = inputs, torch.zeros_like(inputs)
        for step in range(self.steps + 1):
            logits, _, gradient = input_gradient(network, x, lambda z: self.objective(z, goal))
            effort, slope = self._effort(x)
            margin = goal.margin(logits)
            # Any that reaches the goal is above any that does not.
            best.update(rows, x, torch.where(margin < 0, 1 / (1 + effort), -margin))
            m = self.momentum * m + self._unit((gradient - slope) * mask)
            x = ball.project(x + alpha * (1 - step / self.steps) * steepest(m, self.norm))
        return Perturbed(torch.where(mask, best.inputs, inputs), unmeasured(inputs))

    def measure(self, inputs: Tensor, perturbed: Tensor, parameters: Tensor | None = None) -> Tensor:
        return off_the_mask(super().measure(inputs, perturbed), self.mask(inputs), inputs, perturbed)

    def effort(self, images: Tensor) -> Tensor:
        """``(N,)`` what it takes to print these: both terms with their weights, a pixel of the mask."""
        mask = self.mask(images)
        colors = torch.tensor(list(product(self.levels, repeat=images.shape[1])))
        terms = self.smoothness * total_variation(images, mask)
        terms = terms + self.printability * non_printability(images, colors, mask)
        return terms / mask.sum().clamp_min(1)

    def _effort(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The effort and its gradient."""
        x = x.detach().requires_grad_()
        effort = self.effort(x)
        return effort.detach(), backward(effort, x)

    def _unit(self, g: Tensor) -> Tensor:
        return g / unsqueeze_like(norm(g, "l2"), g).clamp_min(torch.finfo(g.dtype).tiny)
