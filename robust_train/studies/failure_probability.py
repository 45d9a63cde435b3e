"""How probable a failure is under a nuisance, and which nuisances fail."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from robust_train.attacking.rejection import deceived
from robust_train.checks import check_positive
from robust_train.metrics.estimate import Estimate, mean
from robust_train.norms import unsqueeze_like
from robust_train.randomness import Streams
from robust_train.studies.base import Blocks, Study
from robust_train.studies.finding import Curves, Finding
from robust_train.transforms.base import Transform
from robust_train.transforms.checking import check_pixels
from robust_train.types import Network

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, kw_only=True)
class FailureProbability(Study):
    r"""Probability that a random nuisance makes the network wrong, and a sample of those that do.

    .. math:: P(f(T_\theta x) \neq y), \qquad \theta \sim \mathcal{N}(\theta_{id}, \sigma^2),

    by independent draws, each image its own, with pixels cut to [0, 1]. Where an image failed, a
    Metropolis chain goes on from there: it proposes :math:`\theta' = \theta + \sigma g / 2`, refuses what
    does not fail, and accepts the rest with the ratio of the prior, so that its states follow the prior given
    failure. The quantiles are of the states of all images, each image weighed by its share of failing
    draws. What the network flags is no failure.

    Args:
        transform: The nuisance.
        scale: Standard deviation of the prior of each parameter.
        draws: Independent draws for each image.
        chain: Steps of the Metropolis chain; 0 for the probability alone.

    Raises:
        ValueError: ``draws`` is not positive, ``chain`` is negative, or there is not one positive
            ``scale`` for each parameter; or images are outside of [0, 1].

    References:
        Robustness of classifiers to nuisance variables: measuring and sampling failures (Fawzi and
        Frossard, 2016)

    Example:
        >>> from robust_train.studies.run import study
        >>> from robust_train.transforms.brightness import Brightness
        >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 2))
        >>> data = [(torch.rand(1, 8, 8), i % 2) for i in range(4)]
        >>> asked = FailureProbability(transform=Brightness(), scale=[0.2], draws=8, chain=4)
        >>> found = study(network, data, {"light": asked}, progress=False)["light"]
        >>> 0 <= found.settings["probability"] <= 1
        True
    """

    transform: Transform
    scale: list[float]
    draws: int = 32
    chain: int = 64

    def __post_init__(self) -> None:
        check_positive(self, "draws")
        check_positive(self, "chain", zero=True)
        if len(self.scale) != len(self.transform.names) or not all(s > 0 for s in self.scale):
            raise ValueError(
                f"FailureProbability: scale must be a positive number for each of "
                f"{', '.join(self.transform.names)}, not {self.scale}."
            )

    def __call__(self, network: Network, blocks: Blocks, seed: int) -> Finding:
        parts = [self._sample(network, *block, seed) for block in blocks]
        share = torch.cat([part[0] for part in parts])
        failing = torch.cat([part[1] for part in parts], 1)
        probability = mean(share)
        return Finding(
            f"A random nuisance makes the network wrong with probability {probability.value:.1%}.",
            [self._curves(failing, share[share > 0])] if failing.numel() else [],
            {
                "samples": len(share),
                "draws": self.draws,
                "chain": self.chain,
                "probability": probability.value,
            },
        )

    def _sample(
        self, network: Network, index: Tensor, inputs: Tensor, labels: Tensor, seed: int
    ) -> tuple[Tensor, Tensor]:
        """``(N,)`` share of failing draws and ``(chain, M, P)`` failing parameters."""
        check_pixels(self, inputs)
        streams, shape = Streams.of(seed, index), (self.draws + self.chain, len(self.scale))
        g = streams.normal(shape, inputs).double().movedim(1, 0)  # (draws + chain, N, P)
        u = streams.fold(1).uniform((self.chain,), inputs).double().movedim(1, 0)
        draws = streams.fold(2)  # what a random transform draws, one set for each image
        fails = torch.stack([self._fails(network, inputs, labels, z, draws) for z in g[: self.draws]])
        start = fails.int().argmax(0)  # the first draw that fails: one of the law that the chain keeps
        rows = fails.any(0).nonzero().squeeze(1)
        z, states = g[start[rows], rows], []
        for k in range(self.chain if len(rows) else 0):
            proposal = z + g[self.draws + k, rows] / 2
            ratio = ((z.square() - proposal.square()).sum(1) / 2).exp()
            wrong = self._fails(network, inputs[rows], labels[rows], proposal, draws.take(rows))
            accepted = (u[k, rows] < ratio) & wrong
            z = torch.where(unsqueeze_like(accepted, z), proposal, z)
            states.append(z)
        chain = torch.stack(states) if states else z.new_zeros(self.chain, 0, len(self.scale))
        return fails.double().mean(0).cpu(), self._parameters(chain).cpu()

    def _fails(self, network: Network, inputs: Tensor, labels: Tensor, z: Tensor, rng: Streams) -> Tensor:
        with torch.no_grad():
            images = self.transform(inputs, self._parameters(z), rng).clamp(0, 1)
            return deceived(network, network(images), labels)

    def _parameters(self, z: Tensor) -> Tensor:
        return z * z.new_tensor(self.scale) + z.new_tensor(self.transform.identity)

    def _curves(self, failing: Tensor, weights: Tensor) -> Curves:
        """Quantiles of each parameter of the ``(chain, M, P)`` states, by the ``(M,)`` weights of images."""
        states, weights = failing.flatten(0, 1), weights.repeat(len(failing))
        series = {
            name: [
                (level, Estimate(_quantile(column, weights, level), math.nan, math.nan, len(states)))
                for level in _QUANTILES
            ]
            for name, column in zip(self.transform.names, states.unbind(1), strict=True)
        }
        return Curves("Failing parameters", "quantile", "parameter", series)


def _quantile(values: Tensor, weights: Tensor, level: float) -> float:
    """The smallest value up to which this share of the weights lies."""
    order = values.argsort()
    reached = weights[order].cumsum(0) >= level * weights.sum()
    return values[order[int(reached.int().argmax())]].item()
