"""A network that tells how sure it is under dropout, and how close to its training images."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from robust_train.defenses.detecting import Detecting
from robust_train.defenses.kernel_density import log_density
from robust_train.defenses.logistic import logistic
from robust_train.defenses.precision import widened
from robust_train.randomness import Streams
from robust_train.types import Batches


class Uncertain(Detecting):
    """A network, what it remembers of its training images, and how sure it is under dropout."""

    points: Tensor
    filled: Tensor
    masks: Tensor
    location: Tensor
    scale: Tensor
    weights: Tensor

    def __init__(
        self, network: nn.Module, *, keep: float, draws: int, bandwidth: float, points: int, seed: int
    ) -> None:
        super().__init__(network, "UncertaintyDetector")
        dense = [module for module in _innermost(network).modules() if isinstance(module, nn.Linear)]
        if not dense:
            raise ValueError("UncertaintyDetector: the network has no dense layer that would end it.")
        self._last, self.keep, self.bandwidth = [dense[-1]], keep, bandwidth
        width, classes = dense[-1].in_features, dense[-1].out_features
        kept = Streams.of(seed, range(draws)).uniform((width,)) < keep
        like = dense[-1].weight.detach()
        self.register_buffer("masks", kept.to(like) / keep, persistent=False)
        self.register_buffer("points", like.new_zeros(classes, points, width))
        self.register_buffer("filled", like.new_zeros(classes, points))
        for name, size in (("location", 2), ("scale", 2), ("weights", 3)):
            self.register_buffer(name, like.new_zeros(size))

    def forward(self, x: Tensor) -> Tensor:
        return self._passed(x)[0] if self.training else super().forward(x)

    def scored(self, x: Tensor) -> tuple[Tensor, Tensor]:
        logits, signs = self.signs(x)
        return logits, ((signs - self.location) / self.scale) @ self.weights[:2] + self.weights[2]

    def signs(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits, and ``(N, 2)`` uncertainty and log-density."""
        logits, h = self._passed(x)
        label = logits.argmax(1)
        density = log_density(h, self.points[label], self.filled[label], self.bandwidth)
        y = self._last[0](h * self.masks[:, None]).softmax(2)
        return logits, torch.stack([uncertainty(y), density], 1)

    def remember(self, batches: Batches) -> None:
        """The last hidden layer on the first training images of each class that are predicted right."""
        with torch.no_grad():
            parts = [(*self._passed(x), y) for x, y in batches]
        logits, h, y = (torch.cat(column) for column in zip(*parts, strict=True))
        for label in range(len(self.points)):
            found = h[(y == label) & (logits.argmax(1) == label)][: self.points.shape[1]]
            self.points[label, : len(found)] = found
            self.filled[label] = (torch.arange(self.points.shape[1]) < len(found)).to(self.filled)

    def regress(self, kinds: list[Tensor]) -> None:
        """Weights from the signs of clean, noisy and attacked images.

        Raises:
            ValueError: There are none.
        """
        if not kinds:
            raise ValueError("A detector is calibrated on clean images, and there are none: hold some out.")
        signs, labels = (
            torch.cat(kinds),
            torch.cat([torch.full((len(k),), i == 2) for i, k in enumerate(kinds)]),
        )
        self.location.copy_(signs.mean(0))
        self.scale.copy_(signs.std(0).clamp_min(1e-12))
        self.weights.copy_(logistic((signs - self.location) / self.scale, labels))

    def _passed(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits, and ``(N, D)`` what comes into the last dense layer, thinned out in training."""
        seen: list[Tensor] = []

        def thin(module: nn.Module, inputs: tuple[Tensor, ...]) -> Any:
            seen.append(dropout(inputs[0], 1 - self.keep, self.training))
            return (seen[-1],)

        hook = self._last[0].register_forward_pre_hook(thin)
        try:
            logits = self.network(x)
        finally:
            hook.remove()
        if not seen:
            raise ValueError("UncertaintyDetector: the last dense layer that the network has never runs.")
        return widened(logits), widened(seen[-1])


def _innermost(network: nn.Module) -> nn.Module:
    """The network without what wraps it, which may hold others, such as a teacher."""
    held = getattr(network, "network", None)
    return _innermost(held) if isinstance(held, nn.Module) else network


def uncertainty(y: Tensor) -> Tensor:
    r"""``(N,)`` summed variances of ``(T, N, K)`` outputs over T draws.

    .. math:: \frac{1}{T} \sum_t y_t^\top y_t - \bar{y}^\top \bar{y}
    """
    return y.square().sum(2).mean(0) - y.mean(0).square().sum(1)
