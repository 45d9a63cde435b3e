"""The worst of many poses, of a grid or drawn at random."""

from dataclasses import dataclass, field, replace
from math import prod
from typing import Self

import torch
from torch import Tensor

from robust_train.attacking.in_turn import first_reached
from robust_train.checks import check_positive
from robust_train.perturbations.base import unmeasured
from robust_train.perturbations.transformed import Transformed, check_limits
from robust_train.randomness import Streams
from robust_train.transforms import Rigid, Transform
from robust_train.types import Goal, Network, Perturbed


@dataclass(frozen=True, kw_only=True)
class WorstPose(Transformed):
    r"""Is the label safe in all these poses? Each sample has a pose of its own.

    .. math:: \max_\theta \max_{k \neq y} f_k(T_\theta(x)) - f_y(T_\theta(x)), \qquad
        |\theta_i - id_i| \le l_i

    Poses are tried from the outside in, the grid before the draws, since those far away fool most.
    With ``drop``, as an evaluation wants it, a sample leaves with the first pose that fools; the
    rest keep the pose of the smallest margin. Sizes are the largest share of a limit that a
    parameter takes.

    Args:
        transform: The family of transformations.
        limits: Largest change of each parameter, in its unit.
        grid: Number of values of each parameter, from limit to limit; empty for no grid.
        draws: Random poses more for each sample, uniform within the limits.
        drop: Let a sample go once it is fooled; without, as training wants it, all poses are tried.
        identity: Try the image as it is too; without, training on the worst of k draws sees draws alone.

    Raises:
        ValueError: There is not one limit, or not one number of values, for each parameter; or there is
            no pose to try.

    References:
        Exploring the landscape of spatial robustness (Engstrom et al., 2019)

    Example:
        >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 2))
        >>> attack = WorstPose(grid=(3, 3, 3))
        >>> found = attack(network, torch.rand(4, 1, 8, 8), torch.tensor([0, 1, 0, 1]))
        >>> found.parameters.shape, bool((found.size <= 1).all())
        (torch.Size([4, 3]), True)
    """

    transform: Transform = field(default_factory=Rigid)
    limits: tuple[float, ...] = (30.0, 3.0, 3.0)
    grid: tuple[int, ...] = (31, 5, 5)
    draws: int = 0
    drop: bool = True
    identity: bool = True

    def __post_init__(self) -> None:
        check_positive(self, "draws", zero=True)
        check_limits(self, self.transform, self.limits)
        names = self.transform.names
        if self.grid and (len(self.grid) != len(names) or not all(count > 0 for count in self.grid)):
            raise ValueError(
                f"WorstPose: grid must be a positive number of values for each of {', '.join(names)}, "
                f"not {self.grid}."
            )
        if not self.poses:
            raise ValueError("WorstPose: there is no pose to try: give a grid, draws or the identity.")

    @property
    def norm(self) -> str:
        return "pose"

    @property
    def poses(self) -> int:
        """How many are tried."""
        return self.identity + (prod(self.grid) if self.grid else 0) + self.draws

    def maximising(self) -> Self:
        return replace(self, drop=False)

    def length(self, inputs: Tensor, parameters: Tensor) -> Tensor:
        change = (parameters - self.transform.neutral(inputs)).abs()
        return (change / change.new_tensor(self.limits)).amax(1)

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        shared = self._grid(inputs).expand(len(inputs), -1, -1)
        drawn = self.transform.drawn(inputs, self.limits, rng, self.draws)
        theta = torch.cat([shared, drawn], 1)
        draws = rng.fold(0)

        def images(rows: Tensor, places: Tensor) -> Tensor:
            each = rows.repeat_interleave(places.shape[1])
            return self.apply(inputs[each], theta[each, places.flatten()], draws.take(each))

        place, _ = first_reached(network, goal, self.poses, images, self.drop)
        worst = theta[torch.arange(len(inputs), device=inputs.device), place]
        return Perturbed(self.apply(inputs, worst, draws), unmeasured(inputs), worst)

    def _grid(self, inputs: Tensor) -> Tensor:
        """``(K, P)`` the identity, then the grid from the outside in."""
        identity = self.transform.neutral(inputs[:1])
        first = identity if self.identity else identity[:0]
        if not self.grid:
            return first
        axes = [_symmetric(count) for count in self.grid]
        share = torch.cartesian_prod(*axes).view(-1, len(axes)).to(identity)
        order = share.square().sum(1).argsort(descending=True, stable=True)
        return torch.cat([first, identity + share[order] * identity.new_tensor(self.limits)])


def _symmetric(count: int) -> Tensor:
    """Values from -1 to 1; of one, 0."""
    return torch.linspace(-1, 1, count, dtype=torch.float64) if count > 1 else torch.zeros(1).double()
