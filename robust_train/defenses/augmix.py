"""AugMix: the same prediction under mixtures of chains of operations."""

from dataclasses import dataclass
from math import log

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from robust_train.defenses.augmix_operations import COUNT, apply
from robust_train.defenses.base import Defense, Step
from robust_train.defenses.divergence import divergence
from robust_train.defenses.precision import widened
from robust_train.randomness import Streams
from robust_train.types import Network

_LONGEST, _LEAST, _LEVELS = 3, 0.1, 10.0  # of a chain; level of an operation, and the largest there is


@dataclass(frozen=True)
class AugMix(Defense):
    r"""Keep the prediction steady between an image and two random mixtures of what operations make of it.

    .. math:: J_i + \lambda\, \mathrm{JS}\big(p(x_i), p(x'_i), p(x''_i)\big), \qquad
        x' = m x + (1 - m) \sum_{k} w_k\, (o_{k,d_k} \circ \dots \circ o_{k,1})(x)

    with m uniform, w uniform on the simplex, chains of one to three operations, and JS the mean
    divergence of the three predictions from their mean. The operations, each at a random strength, are
    none of the fifteen test corruptions. What is mixed is the clean image; the loss, and the first
    prediction, are those of what the network is trained on.

    The original passes all three through the network at once, and so normalises batches over all of
    them; here the mixtures follow in a pass of their own.

    Args:
        weight: Weight lambda of the divergence.
        severity: Largest level of an operation, of 10.
        width: Number of chains that are mixed.

    Raises:
        ValueError: A number has no meaning.

    References:
        AugMix: a simple data processing method to improve robustness and uncertainty (Hendrycks et al.,
        2020)

    Example:
        >>> defense = AugMix(severity=5.0)
    """

    weight: float = 12.0
    severity: float = 3.0
    width: int = 3

    def __post_init__(self) -> None:
        if not (self.weight >= 0 and _LEAST <= self.severity <= _LEVELS and self.width > 0):
            raise ValueError(
                "AugMix: weight must be at least 0, severity from 0.1 to 10, and width positive."
            )

    def loss(self, network: Network, step: Step, loss: Tensor) -> Tensor:
        rng = step.rng.fold(0xA36)
        mixtures = torch.cat([self.mixture(step.clean, rng.fold(k)) for k in range(2)])
        predictions = [step.logits, *network(mixtures).chunk(2)]
        return loss + self.weight * _jensen_shannon(predictions)

    @torch.no_grad()
    def mixture(self, x: Tensor, rng: Streams) -> Tensor:
        """One random mixture of each image of ``(N, C, H, W)``."""
        x, dtype = widened(x), x.dtype  # half precision rounds draws to 1
        w = -torch.log1p(-rng.fold(0).uniform((self.width,), x))  # exponential: uniform on the simplex
        w = w / w.sum(1, keepdim=True)
        m = rng.fold(1).uniform((1, 1, 1), x)
        with torch.autocast(x.device.type, enabled=False):
            chains = self._chains(x, rng.fold(2))
        mixed = (w[:, :, None, None, None] * chains).sum(1)
        return torch.lerp(mixed, x, m).clamp(0, 1).to(dtype)

    def _chains(self, x: Tensor, rng: Streams) -> Tensor:
        """``(N, width, C, H, W)`` all chains of all images, one operation after the other."""
        draws = rng.uniform((4, _LONGEST, self.width), x).permute(1, 2, 0, 3).flatten(2)
        operation, level = (COUNT * draws[0]).long(), _LEAST + (self.severity - _LEAST) * draws[1]
        depth = (_LONGEST * draws[3, 0]).long()
        y = x.repeat_interleave(self.width, 0)
        for number in range(_LONGEST):
            changed = apply(y, operation[number], level[number] / _LEVELS, draws[2, number] < 0.5)
            y = torch.where((number <= depth)[:, None, None, None], changed, y)
        return y.view(len(x), self.width, *x.shape[1:])


def _jensen_shannon(predictions: list[Tensor]) -> Tensor:
    """``(N,)`` mean divergence of each from the mean of all."""
    logs = torch.stack([log_softmax(widened(z), 1) for z in predictions])
    mean = logs.logsumexp(0) - log(len(logs))
    return torch.stack([divergence(p, mean) for p in logs]).mean(0)
