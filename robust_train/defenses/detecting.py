"""A network with a detector beside it."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import TypeVar

import torch
from torch import Tensor, nn

from robust_train.defenses.precision import widened
from robust_train.randomness import Streams
from robust_train.types import Batches

D = TypeVar("D", bound="Detecting")


class Detecting(nn.Module):
    r"""One logit more than there are classes, which wins where the input is flagged.

    .. math:: z_f(x) = \max_k z_k(x) + s(x) - t, \qquad \text{so that x is flagged where } s(x) > t

    In training mode, and until the threshold t is calibrated, it is the network that it wraps.

    Args:
        network: Images to ``(N, K)`` logits.
        name: Of the defense.

    Raises:
        ValueError: The network has a detector already.
    """

    threshold: Tensor

    def __init__(self, network: nn.Module, name: str) -> None:
        super().__init__()
        if any(isinstance(module, Detecting) for module in network.modules()):
            raise ValueError(
                f"{name}: the network has a detector, and one logit for the flag, already: keep one."
            )
        self.network = network
        self.register_buffer("threshold", torch.tensor(torch.nan))  # NaN: not calibrated

    @property
    def rejects(self) -> bool:
        """Whether the last logit means "flagged"."""
        return not (self.training or bool(self.threshold.isnan()))

    def forward(self, x: Tensor) -> Tensor:
        if not self.rejects:
            classes: Tensor = self.network(x)
            return classes
        logits, score = (widened(value) for value in self.scored(x))
        top = logits.amax(1)
        if not score.requires_grad:
            top = top.detach()  # or the lead of the flag is a constant: the way out is deeper into a class
        flag = top + (score - self.threshold).to(logits)
        return torch.cat([logits, flag[:, None]], 1)

    @abstractmethod
    def scored(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """``(N, K)`` logits and ``(N,)`` scores s, larger where the input is more suspicious."""

    def scores(self, images: Iterable[Tensor]) -> Tensor:
        """``(N,)`` of all images, a batch at a time."""
        with torch.no_grad():
            return torch.cat([widened(self.scored(x)[1]) for x in images])

    def settle(self, clean: Batches, rate: float) -> None:
        """Put the threshold where a share of clean images, ``rate`` at the most, is flagged.

        Raises:
            ValueError: There are no images, or the score of one is not finite.
        """
        images = [x for x, _ in clean if len(x)]
        if not images:
            raise ValueError("A detector is calibrated on clean images, and there are none: hold some out.")
        scores = self.scores(images)
        broken = int((~scores.isfinite()).sum())
        if broken:
            raise ValueError(
                f"The detector's score is not finite for {broken} of {len(scores)} clean images: look at the "
                "weights, and at what the detector remembers."
            )
        value = scores.sort(descending=True).values[int(rate * len(scores))]
        self.threshold.copy_(value)
        if self.threshold < value:  # rounded down, it would flag one more
            self.threshold.copy_(self.threshold.nextafter(torch.full_like(self.threshold, torch.inf)))

    def forget(self) -> None:
        """What it flagged before another training."""
        self.threshold.fill_(torch.nan)


def with_streams(batches: Batches, seed: int) -> Iterator[tuple[Tensor, Tensor, Streams]]:
    """Each batch with the streams of its samples, the same however they are batched."""
    start = 0
    for x, y in batches:
        yield x, y, Streams.of(seed, range(start, start + len(x)))
        start += len(x)


def detector(network: nn.Module, kind: type[D]) -> D:
    """The detector of this kind inside a network.

    Raises:
        ValueError: There is none.
    """
    for module in network.modules():
        if isinstance(module, kind):
            return module
    raise ValueError("The network has no such detector: give it as the defense's wrap returned it.")


def check_undetected(name: str, network: nn.Module) -> None:
    """Refuse to put around a detector what would change what it sees, since it is calibrated without."""
    if any(isinstance(module, Detecting) for module in network.modules()):
        raise ValueError(
            f"{name}: the network holds a detector, which is calibrated without what is put around it: list "
            f"{name} before the detector."
        )


def check_rate(name: str, rate: float) -> None:
    """Refuse a false-positive rate that is no share."""
    if not 0 < rate < 1:
        raise ValueError(f"{name}: false_positives must be a share between 0 and 1, not {rate}.")
