"""Salt and pepper: random pixels that turn white or black."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, log2
from typing import Literal

import torch
from torch import Tensor

from robust_train.attacking.best import Best
from robust_train.attacking.line_search import bisect, bracket
from robust_train.checks import check_positive
from robust_train.norms import norm
from robust_train.perturbations.base import Minimal, unmeasured
from robust_train.randomness import Streams
from robust_train.types import Goal, Network, Perturbed, Rows


@dataclass(frozen=True, kw_only=True)
class SaltAndPepper(Minimal):
    r"""Fewest random pixels that, set to white or black at random, change the label.

    Each sample draws an order of its pixels and a colour for each, the same for all channels. The
    first t of them are set:

    .. math:: \min t \quad \text{subject to} \quad f(x + r_t) \neq f(x)

    The number of pixels grows geometrically until the label changes, then the bracket is bisected down
    to one pixel. Labels need not change monotonically: a change that is undone by a few pixels more
    can be stepped over. The size counts the components that did change, so that a black pixel of the
    image that is set to black is not among them; the whole image has noise in it at the most.

    Args:
        restarts: Orders for each sample; the one that changes the fewest components counts.
        growth: Ratio of successive numbers of pixels.

    Raises:
        ValueError: There are no bounds, whose ends are white and black.

    References:
        Foolbox: a Python toolbox to benchmark the robustness of machine learning models (Rauber,
        Brendel and Bethge, 2017), for the search of the smallest share

    Example:
        >>> network = torch.nn.Linear(8, 2)
        >>> found = SaltAndPepper()(network, torch.rand(3, 8), torch.tensor([0, 1, 0]))
        >>> found.size.shape
        torch.Size([3])
    """

    norm: Literal["l0"] = "l0"
    restarts: int = 1
    growth: float = 1.25

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "restarts")
        if not self.growth > 1:
            raise ValueError(f"SaltAndPepper: growth must be more than 1, not {self.growth}.")
        if self.bounds is None:
            raise ValueError("SaltAndPepper: bounds must be given, as their ends are black and white.")

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        sample = torch.arange(len(inputs), device=inputs.device).repeat(self.restarts)
        colour, rank = self._noise(inputs, rng.repeat(self.restarts))
        noise = _Noise(network, inputs[sample], colour, rank, goal.take(sample))
        pixels = rank[0].numel()
        # Each order to its own end: another that takes more pixels may change fewer components.
        low, high = bracket(noise, torch.arange(len(sample), device=inputs.device), self._counts(pixels))
        rows = high.isfinite().nonzero().squeeze(1)
        # Ends less than one pixel apart are neighbours.
        changing = noise.take(rows)
        count = bisect(changing, low[rows], high[rows], ceil(log2(pixels)) + 1)
        best, x = Best(inputs[sample]), changing.image(count)
        best.update(rows, x, -norm(x - changing.clean, "l0"))
        first = best.score.view(self.restarts, -1).argmax(0)
        return Perturbed(best.inputs[first * len(inputs) + sample[: len(inputs)]], unmeasured(inputs))

    def _noise(self, inputs: Tensor, rng: Streams) -> tuple[Tensor, Tensor]:
        """Colour of every pixel, and its place in the order, counted from 0."""
        assert self.bounds is not None
        shape = tuple(inputs.shape[1:])
        shape = (1, *shape[1:]) if len(shape) == 3 else shape
        drawn = rng.uniform((2, *shape), inputs)
        colour = torch.where(drawn[:, 0] < 0.5, *self.bounds).to(inputs)
        return colour, drawn[:, 1].flatten(1).argsort(1).argsort(1).view_as(colour)

    def _counts(self, pixels: int) -> Iterator[int]:
        count = 1
        while count < pixels:
            yield count
            count = max(count + 1, int(count * self.growth))
        yield pixels


@dataclass(frozen=True, eq=False)
class _Noise(Rows):
    """Noise that covers more and more of the images, and the goal on each."""

    network: Network
    clean: Tensor
    colour: Tensor
    rank: Tensor
    goal: Goal

    def __len__(self) -> int:
        return len(self.clean)

    def image(self, count: Tensor) -> Tensor:
        """The images with that many pixels of noise, rounded up."""
        return torch.where(self.rank < count.view(-1, *(1,) * (self.rank.ndim - 1)), self.colour, self.clean)

    def changed(self, size: Tensor) -> Tensor:
        with torch.no_grad():
            return self.goal.reached(self.network(self.image(size)))
