"""How far is a label certain, beside how near a search found another?"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache

import torch
from torch import Tensor, nn

from robust_train.classifier import RobustClassifier
from robust_train.evaluation.deployed import Deployed
from robust_train.lipschitz.bound import difference_bounds, lipschitz_bound
from robust_train.lipschitz.certificate import certified_radius
from robust_train.metrics.estimate import Estimate, median, rate
from robust_train.objectives import Margin
from robust_train.perturbations.base import Minimal
from robust_train.perturbations.ddn import DDN
from robust_train.randomness import Streams
from robust_train.studies.base import Blocks, Study
from robust_train.studies.finding import Curves, Finding
from robust_train.types import Network, predict

_ROUNDING = 1e-6  # share of a radius that the rounding of the logits may pretend, in double precision


@dataclass(frozen=True, kw_only=True)
class CertifiedRadius(Study):
    r"""Radii that the Lipschitz bound of the network certifies, and sizes that a minimal search finds.

    .. math:: R(x) = \min_{j \neq y} \frac{f_y(x) - f_j(x)}{L_{yj}} \le \|r^*(x)\|_2 \le \|r(x)\|_2

    with the bounds of ``difference_bounds``. The certificate is that of a copy of the network in double
    precision: it is 0 where the network itself predicts another label, and no larger than what was found,
    which is nearer where the network's own rounding breaks it alone. Accuracy at eps is the share of all
    images that are right and whose label is certain, or was not seen to change, within eps; the truth is
    between the two.

    Args:
        eps: Radii in l2, in pixel units.
        perturbation: The search. By default DDN ascends the margin: the gradient of the cross-entropy,
            spread over all classes where logits are small, leads it past the nearest one.

    Raises:
        ValueError: The search is not one of l2, or of a module no bound is known.
        RuntimeError: Something was found inside of what is certified.

    Example:
        >>> from robust_train.studies.run import study
        >>> data = [(torch.rand(4), i % 2) for i in range(4)]
        >>> asked = CertifiedRadius(eps=[0.1, 0.5], perturbation=DDN(steps=10))
        >>> found = study(nn.Linear(4, 2), data, {"radius": asked}, progress=False)["radius"]
        >>> found.settings["median certified"] <= found.settings["median found"]
        True
    """

    eps: list[float]
    perturbation: Minimal = field(default_factory=lambda: DDN(objective=Margin()))

    def __post_init__(self) -> None:
        if self.perturbation.norm != "l2":
            raise ValueError(
                f"CertifiedRadius: radii are in l2, the search is in {self.perturbation.norm}: "
                "give one in l2."
            )
        if not self.eps or not all(eps >= 0 for eps in self.eps):
            raise ValueError(f"CertifiedRadius: eps must be radii of at least 0, not {self.eps}.")

    def __call__(self, network: Network, blocks: Blocks, seed: int) -> Finding:
        module = _module(network)
        exact = deepcopy(module).double()
        bounds = cache(lambda classes: difference_bounds(exact, classes))
        parts = [self._judge(network, exact, bounds, *block, seed) for block in blocks]
        right, radius, found = (torch.cat(column) for column in zip(*parts, strict=True))
        name = type(self.perturbation).__name__
        series = {
            "certified": [(eps, rate(right & (radius > eps))) for eps in sorted(self.eps)],
            f"not broken by {name}": [(eps, rate(right & (found > eps))) for eps in sorted(self.eps)],
        }
        sizes = {"median certified": median(radius).value, "median found": median(found).value}
        return Finding(
            self._summary(series, sizes),
            [Curves("Accuracy within a radius", "l2 radius", "share of all images", series)],
            {"samples": len(right), "search": name, "lipschitz bound": lipschitz_bound(exact), **sizes},
        )

    def _judge(
        self,
        network: Network,
        exact: nn.Module,
        bounds: Callable[[int], Tensor],
        index: Tensor,
        inputs: Tensor,
        labels: Tensor,
        seed: int,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """``(N,)`` whether each image is right, its certified radius and the size found."""
        with torch.no_grad():
            predicted, logits = predict(network(inputs)), exact(inputs.double())
        radius = certified_radius(logits, bounds(logits.shape[1])) * (1 - _ROUNDING)
        radius = radius.masked_fill(predict(logits) != predicted, 0)
        found = self.perturbation(network, inputs, labels, rng=Streams.of(seed, index))
        with torch.no_grad():
            moved = predict(exact(found.inputs.double())) != predict(logits)
        size = found.size.to(radius)
        self._check(radius.where(moved, 0), size)
        return (predicted == labels).cpu(), radius.minimum(size).cpu(), size.cpu()

    def _check(self, radius: Tensor, found: Tensor) -> None:
        inside = found < radius
        if inside.any():
            row = int(inside.int().argmax())
            raise RuntimeError(
                f"CertifiedRadius: a perturbation of size {found[row]:.4g} lies within the radius "
                f"{radius[row]:.4g} that is certified: a method lipschitz() of the network claims too little."
            )

    def _summary(self, series: dict[str, list[tuple[float, Estimate]]], sizes: dict[str, float]) -> str:
        (eps, certified), (_, found) = (points[0] for points in series.values())
        return (
            f"Within l2 {eps:g}, {certified.value:.1%} are right for certain and {found.value:.1%} were not "
            f"broken; the median radius is {sizes['median certified']:.3g}, the median found "
            f"{sizes['median found']:.3g}."
        )


def _module(network: Network) -> nn.Module:
    """What the bound is taken of: the network behind the call that every study is given."""
    if isinstance(network, Deployed) and network.mean is None and network.key is None:
        return _module(network.network)
    if isinstance(network, RobustClassifier):
        return _module(network.network)
    if isinstance(network, nn.Module):
        compiled = getattr(network, "_orig_mod", None)
        return network if compiled is None else _module(compiled)
    raise ValueError(
        "CertifiedRadius: the network is a function: give it as a module whose layers are known."
    )
