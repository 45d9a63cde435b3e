"""A network with a small one on top of one of its layers, which tells attacked images from clean ones."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from robust_train.attacking.activations import path_of
from robust_train.attacking.modes import evaluating
from robust_train.defenses.detecting import Detecting


class Headed(Detecting):
    """A network and a head that sees the output of one of its layers."""

    def __init__(
        self, network: nn.Module, layer: str, in_shape: tuple[int, int, int], width: int, freeze: bool
    ) -> None:
        super().__init__(network, "DetectorHead")
        self.layer, self.freeze = path_of(layer, dict(network.named_modules())), freeze
        # The seed decides what is drawn, and nothing that is drawn later changes by it.
        with evaluating(network), torch.no_grad(), torch.random.fork_rng(devices=[]):
            like = next((p for p in network.parameters()), torch.zeros(()))
            _, h = self._tapped(torch.zeros(1, *in_shape).to(like))
            self.head = _head(h.shape[1:], width).to(like)
        if freeze:
            network.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        with self._at_rest():
            return super().forward(x)

    def scored(self, x: Tensor) -> tuple[Tensor, Tensor]:
        with self._at_rest():
            logits, h = self._tapped(x)
        return logits, self.head(h).flatten(1).mean(1)

    def _at_rest(self) -> AbstractContextManager[None]:
        """What is frozen keeps its statistics, too, and drops nothing out."""
        return evaluating(self.network) if self.freeze else nullcontext()

    def _tapped(self, x: Tensor) -> tuple[Tensor, Tensor]:
        seen: list[Tensor] = []
        hook = self.network.get_submodule(self.layer).register_forward_hook(
            lambda *call: seen.append(call[2])
        )
        try:
            logits = self.network(x)
        finally:
            hook.remove()
        if not seen:
            raise ValueError(f"DetectorHead: layer {self.layer!r} never runs: give one that does.")
        return logits, seen[-1]


def _head(shape: torch.Size, width: int) -> nn.Sequential:
    """Log-odds from activations; of maps, their mean over all places, as in the paper."""
    if len(shape) == 3:
        first, second = nn.Conv2d(shape[0], width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)
        return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), nn.Conv2d(width, 1, 1))
    return nn.Sequential(
        nn.Flatten(), nn.Linear(shape.numel(), 2 * width), nn.ReLU(), nn.Linear(2 * width, 1)
    )
