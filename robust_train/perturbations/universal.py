"""Universal perturbations, by the algorithm that they were found with."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robust_train.checks import check_positive
from robust_train.perturbations.deepfool import DeepFool
from robust_train.perturbations.linearised import check_candidates
from robust_train.perturbations.shared_vector import SharedVector
from robust_train.randomness import Streams
from robust_train.types import Goal, Network


@dataclass(frozen=True, kw_only=True)
class Universal(SharedVector):
    r"""Add up the smallest steps that fool one image after the other, and stay within the budget.

    .. math:: v \leftarrow \Pi_{\|v\|_p \le \epsilon}(v + \Delta v_i), \qquad
        \Delta v_i = \arg\min_r \|r\|_2 \;\; \text{subject to} \;\; f(x_i + v + r) \neq f(x_i)

    over the images that v does not fool yet, in random order, until v fools a share of
    :math:`1 - \delta` of them. The steps are those of DeepFool; where it finds none in ten
    iterations, an image is left out. By default a batch of images steps together, by the sum of
    its steps, as if each had been taken before the others; inside a box, where many of them end at
    the same walls, small batches do better. No pass over the images need improve on the last: the
    best v after a pass counts.

    Args:
        norm: Norm of the budget; the steps are in l2 whatever it is.
        delta: Share of the images that may keep their label.
        passes: Passes over the images at the most.
        steps: Iterations of DeepFool.
        overshoot: Overshoot of DeepFool.
        candidates: Classes that DeepFool considers.
        sequential: One image at a time, as published.

    References:
        Universal adversarial perturbations (Moosavi-Dezfooli, Fawzi, Fawzi and Frossard, 2017)

    Example:
        >>> images, labels = torch.rand(8, 4), torch.zeros(8, dtype=torch.int64)
        >>> network, rng = torch.nn.Linear(4, 3), Streams.of(0, [0])
        >>> found = Universal(eps=0.5).fit(network, [(images, labels)], rng)
        >>> bool((found(network, images, labels).size <= 0.5).all())
        True
    """

    delta: float = 0.2
    passes: int = 10
    steps: int = 10
    overshoot: float = 0.02
    candidates: int = 10
    sequential: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "passes", "steps")
        check_candidates(self)
        check_positive(self, "delta", "overshoot", zero=True)

    def learn(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Tensor:
        v = best = torch.zeros_like(inputs[0])
        highest, size = -1.0, 1 if self.sequential else self.batch_size
        for order in rng.uniform((self.passes, len(inputs)))[0].argsort(dim=1, stable=True).to(inputs.device):
            for rows in order.split(size):
                v = self.project(v + self._step(network, self.shifted(inputs[rows], v), goal.take(rows), rng))
            rate = self.rate(network, inputs, goal, v)
            if rate > highest:
                best, highest = v, rate
            if rate >= 1 - self.delta:
                break
        return best

    def _step(self, network: Network, x: Tensor, goal: Goal, rng: Streams) -> Tensor:
        """Sum of the smallest steps that fool those of the images that are not fooled yet."""
        standing = (~goal.reached(self.logits(network, x))).nonzero().squeeze(1)
        if not len(standing):
            return torch.zeros_like(x[0])
        x, goal = x[standing], goal.take(standing)
        # Where DeepFool does not succeed, it returns what it was given.
        return (self._deepfool().search(network, x, goal, rng).inputs - x).sum(0)

    def _deepfool(self) -> DeepFool:
        return DeepFool(
            bounds=self.bounds,
            steps=self.steps,
            overshoot=self.overshoot,
            candidates=self.candidates,
            refinements=0,
        )
