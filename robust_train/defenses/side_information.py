"""Two networks that look at different channels have to agree."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, log_softmax

from robust_train.defenses.base import Defense, Step
from robust_train.defenses.detecting import Detecting, check_rate, detector
from robust_train.defenses.precision import widened
from robust_train.networks.small_cnn import SmallCNN
from robust_train.types import Batches, Network


@dataclass(frozen=True)
class SideInformation(Defense):
    r"""Flag images whose class by colour is not that by depth, or by any other channels.

    Beside the network, which sees some channels, a small one learns the same classes from others. With
    their predictions p and q, the score is

    .. math:: s(x) = -\log \sum_k p_k(x)\, q_k(x)

    minus the logarithm of the probability that both name the same class. SafetyNet's test of a scene
    against its depth is one of a photograph against a sensor; here both come with the image.

    It holds as long as only the network's channels can be attacked, ``Masked`` to those. Where all can be,
    one perturbation takes both networks to the same wrong class.

    Args:
        seen: Places of the channels that the network sees.
        side: Places of those that the network beside it sees.
        in_shape: ``(C, H, W)`` of the images.
        classes: Number of classes.
        width: Width of the network beside, a ``SmallCNN``.
        false_positives: Share of clean images that may be flagged.

    Raises:
        ValueError: The image has no such channels, or the network a detector already.

    References:
        SafetyNet: detecting and rejecting adversarial examples robustly (Lu, Issaranon and Forsyth, 2017)

    Example:
        >>> network = SmallCNN(in_shape=(3, 8, 8), classes=4, width=8)
        >>> defense = SideInformation(seen=[0, 1, 2], side=[3], in_shape=(4, 8, 8), classes=4)
        >>> defense.wrap(network)(torch.rand(2, 4, 8, 8)).shape  # until it is calibrated
        torch.Size([2, 4])
    """

    seen: list[int]
    side: list[int]
    in_shape: tuple[int, int, int]
    classes: int
    width: int = 16
    false_positives: float = 0.05

    def __post_init__(self) -> None:
        check_rate("SideInformation", self.false_positives)
        places = [*self.seen, *self.side]
        if not (self.seen and self.side and min(places) >= 0 and max(places) < self.in_shape[0]):
            raise ValueError(
                f"SideInformation: seen {self.seen} and side {self.side} must be channels of the images, "
                f"from 0 to {self.in_shape[0] - 1}."
            )

    def wrap(self, network: nn.Module) -> nn.Module:
        return Sided(network, self)

    def loss(self, network: Network, step: Step, loss: Tensor) -> Tensor:
        pair = detector(network, Sided)  # type: ignore[arg-type]
        logits = widened(pair.second(step.inputs))
        return loss + cross_entropy(logits, step.targets, reduction="none")

    def calibrate(self, network: nn.Module, batches: Batches, held_out: Batches) -> None:
        detector(network, Sided).settle(held_out, self.false_positives)


class Sided(Detecting):
    """A network, and another one beside it that sees other channels."""

    def __init__(self, network: nn.Module, settings: SideInformation) -> None:
        super().__init__(network, "SideInformation")
        self.seen, self.side = list(settings.seen), list(settings.side)
        like = next((p for p in network.parameters()), torch.zeros(()))
        shape = (len(self.side), *settings.in_shape[1:])
        # The seed decides what is drawn, and nothing that is drawn later changes by it.
        with torch.random.fork_rng(devices=[]):
            self.beside = SmallCNN(shape, settings.classes, settings.width).to(like)

    def forward(self, x: Tensor) -> Tensor:
        if self.rejects:
            return super().forward(x)
        classes: Tensor = self.network(x[:, self.seen])
        return classes

    def scored(self, x: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.network(x[:, self.seen])
        agreed = log_softmax(widened(logits), 1) + log_softmax(widened(self.second(x)), 1)
        return logits, -agreed.logsumexp(1)

    def second(self, x: Tensor) -> Tensor:
        """``(N, K)`` logits of the network beside."""
        logits: Tensor = self.beside(x[:, self.side])
        return logits
