"""A suite tried for as long as a few passes take, before a training that it would only end."""

from contextlib import suppress

from torch import Tensor, nn

from robust_train.attacking.modes import attack_mode
from robust_train.evaluation.deployed import Deployed
from robust_train.evaluation.evaluator import Evaluator, Suite
from robust_train.evaluation.refusals import out_of_inference_mode
from robust_train.randomness import Streams

_PASSES = 3  # of all draws: enough to see the logits and to begin


class _Enough(Exception):
    """The search has begun, and nothing was wrong."""


class _FewPasses(nn.Module):
    """A network that soon ends whatever calls it."""

    def __init__(self, network: nn.Module, passes: int) -> None:
        super().__init__()
        self.network, self.left = network, passes

    def forward(self, x: Tensor) -> Tensor:
        self.left -= 1
        if self.left < 0:
            raise _Enough
        logits: Tensor = self.network(x)
        return logits


def rehearse(network: Deployed, suite: Suite, inputs: Tensor, labels: Tensor, draws: int = 1) -> None:
    """Begin every search that has nothing to learn on a few images, and leave it after a few passes.

    Nothing of the network or of the global random state changes.

    Args:
        network: That will be judged, in whatever state.
        suite: Regimes by name.
        inputs: ``(N, C, H, W)`` in pixel units.
        labels: ``(N,)``.
        draws: Of a stochastic network.

    Raises:
        ValueError: A regime or the draws do not fit the network or the images.

    Example:
        >>> import torch
        >>> from robust_train.perturbations.semirandom import Semirandom
        >>> network, images = Deployed(nn.Linear(4, 2)), torch.rand(1, 4)
        >>> rehearse(network, {"semirandom": Semirandom(dimension=5)}, images, torch.tensor([0]))
        Traceback (most recent call last):
        ValueError: Semirandom: dimension must be at most 4 here, not 5.
    """
    evaluator = Evaluator(network, suite, draws=draws)
    with attack_mode(network):
        for regime in evaluator.regimes:
            if regime.perturbation.fitted:
                rng = Streams.of(0, range(len(inputs)))
                few = _FewPasses(network, _PASSES * draws)
                with suppress(_Enough), out_of_inference_mode():
                    evaluator.judge.searched(regime.perturbation, few, inputs, labels, rng)
