"""How well a network sees through each common corruption."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robust_train.metrics.estimate import rate
from robust_train.randomness import Streams
from robust_train.studies.base import Blocks, Study
from robust_train.studies.finding import Finding, Grid
from robust_train.transforms.corruption import Corruption
from robust_train.transforms.corruptions import KINDS
from robust_train.types import Network, predict


@dataclass(frozen=True, kw_only=True)
class CorruptionTable(Study):
    r"""Accuracy under each corruption at each severity, and its mean over all of them.

    .. math:: A_{k, s} = P(f(T_{k, s}(x)) = y)

    At all severities an image meets the same draws.

    Args:
        kinds: Names of the corruptions; by default all fifteen.
        severities: From 0 to 5, not necessarily whole.

    Raises:
        ValueError: There is no such kind; or a severity is out of range.

    References:
        Benchmarking neural network robustness to common corruptions and perturbations (Hendrycks and
        Dietterich, 2019)

    Example:
        >>> from robust_train.studies.run import study
        >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 2))
        >>> data = [(torch.rand(3, 8, 8), i % 2) for i in range(4)]
        >>> asked = CorruptionTable(kinds=("contrast", "gaussian_noise"), severities=(1, 3, 5))
        >>> grid = study(network, data, {"table": asked}, progress=False)["table"].figures[0]
        >>> grid.rows, grid.columns
        (['contrast', 'gaussian_noise'], ['1', '3', '5'])
    """

    kinds: tuple[str, ...] = tuple(KINDS)
    severities: tuple[float, ...] = (1, 2, 3, 4, 5)

    def __post_init__(self) -> None:
        for kind in self.kinds:
            Corruption(kind=kind)  # or a sentence that names all kinds
        if not self.kinds or not self.severities or not all(0 <= s <= 5 for s in self.severities):
            raise ValueError(
                "CorruptionTable: give a kind at least, and severities from 0 to 5, "
                f"not {self.kinds} and {self.severities}."
            )

    def __call__(self, network: Network, blocks: Blocks, seed: int) -> Finding:
        clean, corrupted = zip(*(self._right(network, *block, seed) for block in blocks), strict=True)
        unharmed, right = torch.cat(clean), torch.cat(corrupted, 2)
        values = [[rate(cell) for cell in row] for row in right]
        columns = [f"{s:g}" for s in self.severities]
        grid = Grid("Accuracy", "corruption", "severity", list(self.kinds), columns, values)
        accuracy, mean = (shares.double().mean().item() for shares in (unharmed, right))
        settings: dict[str, object] = {
            "clean accuracy": accuracy,
            "mean accuracy": mean,
            "samples": len(unharmed),
        }
        return Finding(self._summary(accuracy, mean, right), [grid], settings)

    def _right(
        self, network: Network, index: Tensor, inputs: Tensor, labels: Tensor, seed: int
    ) -> tuple[Tensor, Tensor]:
        """``(N,)`` and ``(kinds, severities, N)`` whether each image is recognised, clean and corrupted."""
        rng = Streams.of(seed, index)
        right = []
        with torch.no_grad():
            clean = predict(network(inputs)) == labels
            for kind in self.kinds:
                for severity in self.severities:
                    theta = torch.full_like(labels, severity, dtype=torch.float64)[:, None]
                    right.append(predict(network(Corruption(kind=kind)(inputs, theta, rng))) == labels)
        cells = torch.stack(right).view(len(self.kinds), len(self.severities), -1)
        return clean.cpu(), cells.cpu()

    def _summary(self, accuracy: float, mean: float, right: Tensor) -> str:
        shares = right.double().mean((1, 2)).tolist()
        worst, kind = min(zip(shares, self.kinds, strict=True))
        return (
            f"Accuracy is {accuracy:.1%} on clean images and {mean:.1%} on average over {len(self.kinds)} "
            f"corruptions at severities {', '.join(f'{s:g}' for s in self.severities)}; "
            f"it is lowest under {kind.replace('_', ' ')}, {worst:.1%}."
        )
