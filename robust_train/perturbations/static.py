"""Attacks on a detector that do not know of it."""

from dataclasses import dataclass, replace
from typing import Any, Self

from torch import Tensor

from robust_train.attacking.rejection import unflagged
from robust_train.norms import unsqueeze_like
from robust_train.perturbations.base import Perturbation
from robust_train.randomness import Streams
from robust_train.types import Batches, Goal, Network, Perturbed


@dataclass(frozen=True, kw_only=True)
class Static(Perturbation):
    """Search on the classes of a network alone, blind to what it flags; the pair is judged.

    It is the attack that detectors are proposed against. The same perturbation without this wrapper is
    the adaptive one: it sees the flag, as one more class to avoid. Of a minimal search, what is flagged
    is a failure. On a network that flags nothing both are the same.

    An evaluation of a pair tells, for every regime within a budget, what is caught at the detector's own
    threshold. The ROC curve of an adaptive attack that ends once it passes ends there too, as one just below
    would catch most of it and little of an attack that knew; with ``drop: false`` it is whole, as it is here.

    Args:
        perturbation: What is searched, inside the bounds given here; a search that ends at the first success
            stays close to the boundary.

    References:
        Adversarial examples are not easily detected: bypassing ten detection methods (Carlini and
        Wagner, 2017)

    Example:
        >>> import torch
        >>> from robust_train.perturbations.pgd import PGD
        >>> attack = Static(perturbation=PGD(eps=0.1))
        >>> found = attack(torch.nn.Linear(4, 3), torch.rand(2, 4), torch.tensor([0, 1]))
        >>> bool((found.size <= 0.1).all())
        True
    """

    perturbation: Perturbation

    def __post_init__(self) -> None:
        object.__setattr__(self, "minimal", self.perturbation.minimal)

    @property
    def norm(self) -> Any:
        """Of the perturbation."""
        return getattr(self.perturbation, "norm", "")

    @property
    def eps(self) -> float | None:
        """Of the perturbation, where it has a budget."""
        return getattr(self.perturbation, "eps", None)

    @property
    def fitted(self) -> bool:
        return self.perturbation.fitted

    @property
    def images(self) -> int | None:
        """How many it wants to learn from, at the most."""
        return getattr(self.perturbation, "images", None)

    def fit(self, network: Network, batches: Batches, rng: Streams) -> Self:
        return replace(self, perturbation=self.perturbation.fit(unflagged(network), batches, rng))

    def maximising(self) -> Self:
        return replace(self, perturbation=self.perturbation.maximising())

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        blind = replace(goal, reject=False)
        search = replace(self.perturbation, bounds=self.bounds)
        return search(unflagged(network), inputs, goal.labels, goal=blind, rng=rng)

    def certify(self, network: Network, inputs: Tensor, goal: Goal, found: Perturbed) -> Perturbed:
        """What the perturbation guarantees; of a minimal one, what the pair lets pass."""
        if not self.minimal:
            return found
        passed = goal.reached(network(found.inputs)) & found.size.isfinite()
        y = found.inputs.where(unsqueeze_like(passed, inputs), inputs)
        return replace(found, inputs=y, size=found.size.masked_fill(~passed, float("inf")))

    def measure(self, inputs: Tensor, perturbed: Tensor, parameters: Tensor | None = None) -> Tensor:
        return self.perturbation.measure(inputs, perturbed, parameters)
