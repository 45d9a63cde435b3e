"""How a network is attacked and judged: as it is, or by draws of its noise."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from robust_train.attacking.rejection import leaving
from robust_train.evaluation.deployed import Deployed
from robust_train.evaluation.preflight import refuse_equal
from robust_train.networks.expectation import Expectation
from robust_train.perturbations.base import Minimal, Perturbation
from robust_train.randomness import Streams
from robust_train.types import Network, Perturbed, predict

_SETS = 4  # sets of draws that must agree on a smallest perturbation
_STRETCHES = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0)


class Judge:
    """A network that is attacked and judged as it is.

    Args:
        network: As it is deployed.
    """

    stochastic: ClassVar[bool] = False

    def __init__(self, network: Deployed) -> None:
        self.network = network

    @property
    def settings(self) -> dict[str, Any]:
        """What a report has to say of it."""
        return {}

    def check(self, inputs: Tensor) -> None:
        """Refuse what cannot be judged so."""

    def attacked(self, network: nn.Module) -> Network:
        """What a perturbation sees of the network."""
        return network

    def searched(
        self, perturbation: Perturbation, network: nn.Module, inputs: Tensor, labels: Tensor, rng: Streams
    ) -> Perturbed:
        """What a perturbation finds."""
        return perturbation(self.attacked(network), inputs, labels, rng=rng)

    def verdict(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """``(N, K)`` logits, and ``(N, draws)`` the class in each single draw."""
        with torch.no_grad():
            logits = self.network(inputs)
        return logits, predict(logits)[:, None]

    def confirmed(self, size: Tensor, clean: Tensor, logits: Tensor) -> Tensor:
        """``(N,)`` sizes of smallest perturbations, given the logits before and after them."""
        return size


def judge_of(network: Deployed, draws: int) -> Judge:
    """What judges a network at one draw of its noise, or over several.

    Raises:
        ValueError: Several draws are asked of a network without ``Noise``, or none.

    Example:
        >>> type(judge_of(Deployed(nn.Linear(4, 2)), draws=1)).__name__
        'Judge'
    """
    return Judge(network) if draws == 1 else Stochastic(network, draws)


class Stochastic(Judge):
    """A network whose mean over some draws is attacked, and whose mean over others is judged.

    Args:
        network: As it is deployed.
        draws: How many of either.

    Raises:
        ValueError: The network has no ``Noise``, or there are no draws.
    """

    stochastic = True

    def __init__(self, network: Deployed, draws: int) -> None:
        super().__init__(network)
        self.draws = draws
        self.judges = self._expectation(network, 1)

    @property
    def settings(self) -> dict[str, Any]:
        return {"draws": self.draws}

    def check(self, inputs: Tensor) -> None:
        if len(inputs):
            refuse_equal(self.judges, inputs)

    def attacked(self, network: nn.Module) -> Network:
        return self._expectation(network, 0)

    def searched(
        self, perturbation: Perturbation, network: nn.Module, inputs: Tensor, labels: Tensor, rng: Streams
    ) -> Perturbed:
        # What only just fools the draws that are attacked is undone by others: run the search to its end.
        search = perturbation.maximising()
        found = super().searched(search, network, inputs, labels, rng)
        return self._stretched(search, network, inputs, found) if isinstance(search, Minimal) else found

    def verdict(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            each = self.judges.each(inputs)
        return self.judges.mean(each), torch.stack([predict(logits) for logits in each], 1)

    def confirmed(self, size: Tensor, clean: Tensor, logits: Tensor) -> Tensor:
        """A perturbation that leaves the class of the judging draws as it was is none."""
        return size.masked_fill(~leaving(self.network, clean).reached(logits), torch.inf)

    @torch.no_grad()
    def _stretched(self, search: Minimal, network: nn.Module, inputs: Tensor, found: Perturbed) -> Perturbed:
        r"""The shortest of a few multiples of r that takes the label away in several further sets of draws.

        A minimal search stops at the boundary of the draws that it attacks, and that of others lies on either
        side of it: much of what was found would not be confirmed. So r becomes :math:`(1 + s) r`, up to three
        times as long, and clipped to the box; where none of that convinces all sets, r stays.
        """
        further = [self._expectation(network, number) for number in range(2, 2 + _SETS)]
        goals = [leaving(one, one(inputs)) for one in further]
        perturbed, settled = found.inputs.clone(), found.size.isinf()
        for stretch in _STRETCHES:
            rows = (~settled).nonzero().squeeze(1)
            if not len(rows):
                break
            longer = torch.lerp(inputs[rows], found.inputs[rows], 1 + stretch)
            longer = longer.clamp(*search.bounds) if search.bounds else longer
            votes = [g.take(rows).reached(one(longer)) for g, one in zip(goals, further, strict=True)]
            agreed = torch.stack(votes).all(0)
            perturbed[rows[agreed]] = longer[agreed]
            settled[rows[agreed]] = True
        return Perturbed(perturbed, found.size, found.parameters)

    def _expectation(self, network: nn.Module, number: int) -> Expectation:
        """Over the set of draws of that number, of which each has as many."""
        return Expectation(network, self.draws, first=number * self.draws)
