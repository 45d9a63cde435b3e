"""The smallest nuisance that changes the label."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robust_train.attacking.best import Best
from robust_train.attacking.line_search import bisect, bracket
from robust_train.checks import check_positive
from robust_train.perturbations.transformed import Transformed, check_severity
from robust_train.randomness import Streams
from robust_train.types import Goal, Network, Perturbed, Rows


@dataclass(frozen=True, kw_only=True)
class SmallestSeverity(Transformed):
    r"""Smallest change of the one parameter of a transformation, such as brightness or blur.

    .. math:: \min |\theta - \theta_{id}| \quad \text{subject to} \quad f(T_\theta(x)) \neq f(x)

    Sizes in equal steps up to the largest are tried, to both sides or to one, until the label
    changes; the step before is then bisected. A region thinner than a step can be stepped over.

    Args:
        transform: A family with one parameter.
        largest: Where the search gives up, in units of the parameter: the sample is then censored.
        points: Number of steps from the identity to ``largest``.
        two_sided: Whether the parameter may fall below the identity, too.
        bisections: Halvings of the bracket, each a forward pass.
        overshoot: Share by which the size found is lengthened, so that rounding cannot undo it.

    Raises:
        ValueError: The transform has not one parameter but several, or its interval ends before ``largest``.

    References:
        Robustness of classifiers to nuisance variables: measuring and sampling failures (Fawzi and
        Frossard, 2016)

    Example:
        >>> from robust_train.transforms.brightness import Brightness
        >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(1, 2))
        >>> _ = network[1].weight.data.copy_(torch.tensor([[1.0], [0.0]])), network[1].bias.data.zero_()
        >>> search = SmallestSeverity(transform=Brightness(), largest=1.0, bounds=None)
        >>> found = search(network, torch.tensor([[[[0.4]]]]), torch.tensor([0]))
        >>> round(found.size.item(), 3)
        0.4
    """

    largest: float
    points: int = 16
    two_sided: bool = True
    bisections: int = 16
    overshoot: float = 1e-4
    minimal: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_positive(self, "largest", "points", "bisections")
        check_positive(self, "overshoot", zero=True)
        check_severity(self, self.transform, "largest", self.transform.identity[0] + self.largest)

    @property
    def norm(self) -> str:
        return type(self.transform).__name__

    def length(self, inputs: Tensor, parameters: Tensor) -> Tensor:
        return (parameters[:, 0] - self.transform.identity[0]).abs()

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        sides = (1.0, -1.0) if self.two_sided else (1.0,)
        sample = torch.arange(len(inputs), device=inputs.device).repeat(len(sides))
        sign = torch.tensor(sides, dtype=torch.float64, device=inputs.device).repeat_interleave(len(inputs))
        paths = _Severities(network, self, inputs[sample], sign, goal.take(sample), rng.take(sample))
        sizes = (self.largest * (k + 1) / self.points for k in range(self.points))
        low, high = bracket(paths, sample, sizes)
        rows = high.isfinite().nonzero().squeeze(1)
        size = torch.full_like(high, torch.inf)
        found = bisect(paths.take(rows), low[rows], high[rows], self.bisections)
        size[rows] = (1 + self.overshoot) * found
        side = size.view(len(sides), -1).argmin(0) * len(inputs) + sample[: len(inputs)]
        chosen = paths.take(side)
        theta = chosen.parameters(size[side].nan_to_num(posinf=0.0))
        best = Best(inputs)
        best.update(sample[: len(inputs)], chosen.images(theta), -size[side])
        return Perturbed(best.inputs, size[side], theta)


@dataclass(frozen=True, eq=False)
class _Severities(Rows):
    """Images that are transformed more and more, each to one side."""

    network: Network
    search: SmallestSeverity
    inputs: Tensor
    sign: Tensor
    goal: Goal
    rng: Streams

    def __len__(self) -> int:
        return len(self.inputs)

    def parameters(self, size: Tensor) -> Tensor:
        """``(N, 1)`` the parameters of these sizes."""
        return (self.search.transform.identity[0] + self.sign * size)[:, None]

    def images(self, theta: Tensor) -> Tensor:
        return self.search.apply(self.inputs, theta, self.rng)

    def changed(self, size: Tensor) -> Tensor:
        with torch.no_grad():
            return self.goal.reached(self.network(self.images(self.parameters(size))))
