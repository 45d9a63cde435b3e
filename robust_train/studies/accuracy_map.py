"""Where a network recognises what it knows: accuracy over a grid of transformations."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robust_train.metrics.estimate import Estimate, rate
from robust_train.randomness import Streams
from robust_train.studies.base import Blocks, Study
from robust_train.studies.finding import Finding, Grid
from robust_train.transforms.base import Transform
from robust_train.transforms.checking import check_pixels
from robust_train.types import Network, predict


@dataclass(frozen=True, kw_only=True)
class AccuracyMap(Study):
    r"""Accuracy under each pair of values of two parameters of a transformation.

    .. math:: A(\theta_1, \theta_2) = P(f(T_{\theta_1, \theta_2}(x)) = y)

    The other parameters stay at the identity, and pixels are cut to [0, 1].

    Args:
        transform: The family of transformations, such as a translation or a placement.
        rows: Values of the first parameter.
        columns: Values of the second parameter.
        parameters: Which two of the transform's parameters these are, by position.

    Raises:
        ValueError: There are no rows or no columns, or the parameters are not two different ones; or
            images are outside of [0, 1].

    References:
        An empirical evaluation of current convolutional architectures' ability to manage nuisance
        location and scale variability (Karianakis, Dong and Soatto, 2016)

    Example:
        >>> from robust_train.studies.run import study
        >>> from robust_train.transforms.translation import Translation
        >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 2))
        >>> data = [(torch.rand(1, 8, 8), i % 2) for i in range(4)]
        >>> asked = AccuracyMap(transform=Translation(), rows=[0.0, 2.0], columns=[-1.0, 0.0, 1.0])
        >>> grid = study(network, data, {"map": asked}, progress=False)["map"].figures[0]
        >>> len(grid.rows), len(grid.columns), grid.values[0][0].n
        (2, 3, 4)
    """

    transform: Transform
    rows: list[float]
    columns: list[float]
    parameters: tuple[int, int] = (0, 1)

    def __post_init__(self) -> None:
        count = len(self.transform.names)
        if len(set(self.parameters)) != 2 or not all(0 <= k < count for k in self.parameters):
            raise ValueError(
                f"AccuracyMap: parameters must be two different positions of {count}, not {self.parameters}: "
                f"the transform has {', '.join(self.transform.names)}."
            )
        if not self.rows or not self.columns:
            raise ValueError(
                "AccuracyMap: give a value at least of rows and of columns, "
                f"not {self.rows} and {self.columns}."
            )

    def __call__(self, network: Network, blocks: Blocks, seed: int) -> Finding:
        right = torch.cat([self._right(network, *block, seed) for block in blocks], 2)
        values = [[rate(cell) for cell in row] for row in right]
        first, second = (self.transform.names[k] for k in self.parameters)
        grid = Grid(
            "Accuracy", first, second, [f"{v:g}" for v in self.rows], [f"{v:g}" for v in self.columns], values
        )
        return Finding(self._summary(values), [grid], {"samples": right.shape[2]})

    def _right(self, network: Network, index: Tensor, inputs: Tensor, labels: Tensor, seed: int) -> Tensor:
        """``(rows, columns, N)`` whether each pose of each image is recognised."""
        check_pixels(self, inputs)
        rng = Streams.of(seed, index)
        with torch.no_grad():
            return torch.stack(
                [
                    torch.stack(
                        [predict(network(self._pose(inputs, a, b, rng))) == labels for b in self.columns]
                    )
                    for a in self.rows
                ]
            ).cpu()

    def _pose(self, inputs: Tensor, a: float, b: float, rng: Streams) -> Tensor:
        theta = self.transform.neutral(inputs)
        theta[:, self.parameters[0]], theta[:, self.parameters[1]] = a, b
        return self.transform(inputs, theta, rng).clamp(0, 1)

    def _summary(self, values: list[list[Estimate]]) -> str:
        cells = [
            (cell.value, a, b)
            for a, row in zip(self.rows, values, strict=True)
            for b, cell in zip(self.columns, row, strict=True)
        ]
        (worst, a, b), (best, c, d) = min(cells), max(cells)
        return f"Accuracy is between {worst:.1%} at ({a:g}, {b:g}) and {best:.1%} at ({c:g}, {d:g})."
