"""Images under a corruption of a given severity."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robust_train.attacking.in_turn import first_reached
from robust_train.checks import check_positive
from robust_train.perturbations.base import unmeasured
from robust_train.perturbations.transformed import Transformed, check_severity
from robust_train.randomness import Streams
from robust_train.types import Goal, Network, Perturbed


@dataclass(frozen=True, kw_only=True)
class Corrupted(Transformed):
    r"""Is the label safe at this severity? Nothing is searched but the worst of a few draws.

    .. math:: T_s(x, \omega_j), \qquad
        j = \arg\max_{j \le J} \max_{k \neq y} f_k(T_s(x, \omega_j)) - f_y(T_s(x, \omega_j))

    Sizes are the severity, or how far it is from what changes nothing.

    Args:
        transform: A family with one parameter, such as a common corruption.
        severity: Value of the parameter, in its unit.
        draws: Number J of draws of a random transform that are tried; a single one costs no pass.

    Raises:
        ValueError: The transform has not one parameter but several, or the severity is outside of its
            interval; or several draws of one that is not random are asked for.

    References:
        Benchmarking neural network robustness to common corruptions and perturbations (Hendrycks and
        Dietterich, 2019)

    Example:
        >>> from robust_train.transforms.corruption import Corruption
        >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 2))
        >>> fog = Corrupted(transform=Corruption(kind="fog"), severity=3.0)
        >>> fog(network, torch.rand(2, 1, 8, 8), torch.tensor([0, 1])).size
        tensor([3., 3.], dtype=torch.float64)
    """

    severity: float
    draws: int = 1

    def __post_init__(self) -> None:
        check_positive(self, "draws")
        check_severity(self, self.transform, "severity", self.severity)
        if self.draws > 1 and not self.transform.random:
            kind = type(self.transform).__name__
            raise ValueError(f"Corrupted: {kind} draws nothing, so that draws must be 1, not {self.draws}.")

    @property
    def norm(self) -> str:
        return "severity"

    def length(self, inputs: Tensor, parameters: Tensor) -> Tensor:
        return (parameters[:, 0] - self.transform.identity[0]).abs()

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        theta = torch.full_like(self.transform.neutral(inputs), self.severity)
        each = torch.arange(len(inputs), device=inputs.device)
        draws = rng.repeat(self.draws)

        def images(rows: Tensor, draw: Tensor) -> Tensor:
            rows = rows.repeat_interleave(draw.shape[1])
            return self.apply(inputs[rows], theta[rows], draws.take(draw.flatten() * len(inputs) + rows))

        worst = torch.zeros_like(each)
        if self.draws > 1:
            worst, _ = first_reached(network, goal, self.draws, images, drop=False)
        return Perturbed(images(each, worst[:, None]), unmeasured(inputs), theta)
