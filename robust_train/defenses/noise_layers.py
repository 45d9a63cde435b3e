"""Random noise in front of the layers of a network."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from robust_train.defenses.base import Defense
from robust_train.defenses.detecting import check_undetected
from robust_train.networks.noise import Noise


@dataclass(frozen=True)
class NoiseLayers(Defense):
    r"""Add Gaussian noise to what goes into each layer, in training and when deployed.

    .. math:: h_l = W_l \big(h_{l-1} + \sigma_l e\big) + b_l, \qquad e \sim N(0, I)

    The layers are the convolutions or, of a network without any, the dense ones. A draw is deterministic
    when evaluated (see ``Noise``), as also for the inner maximisation of another defense, which sees the
    first; the published prediction, the mean over draws, is that of
    ``Expectation``, as is the attack that noise does not lead astray.

    What draws anew in each pass leads an attack astray that takes the gradient of one: defenses by
    randomness were broken by gradients of the expectation (Athalye, Carlini and Wagner, 2018). An evaluation
    with ``draws`` attacks that, and judges others.

    Args:
        first: Standard deviation in front of the first layer, in the units that it sees.
        sigma: Standard deviation in front of all other layers, in the units that they see.
        seed: Seed of all draws.

    Raises:
        ValueError: A standard deviation is negative, or the network has no such layer, or it holds a
            detector, which is calibrated on passes without this noise.

    References:
        Towards robust neural networks via random self-ensemble (Liu et al., 2018)
        Parametric noise injection (He et al., 2019), whose standard deviations are learnt
        Obfuscated gradients give a false sense of security (Athalye, Carlini and Wagner, 2018)

    Example:
        >>> network = NoiseLayers().wrap(nn.Sequential(nn.Flatten(), nn.Linear(4, 3)))
        >>> [noise.sigma for noise in network.noises]
        [0.2]
    """

    first: float = 0.2
    sigma: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value in (("first", self.first), ("sigma", self.sigma)):
            if not value >= 0:
                raise ValueError(f"NoiseLayers: {name} must be at least 0, not {value}.")

    def wrap(self, network: nn.Module) -> nn.Module:
        check_undetected("NoiseLayers", network)
        names = _layers(network, nn.Conv2d) or _layers(network, nn.Linear)
        if not names:
            raise ValueError("NoiseLayers: the network has neither a convolution nor a dense layer.")
        sigmas = [self.first, *[self.sigma] * (len(names) - 1)]
        others = [module.layer for module in network.modules() if isinstance(module, Noise)]
        first = max(others, default=-1) + 1  # two layers of one number would draw the same
        return _Noisy(network, names, [Noise(s, first + k, self.seed) for k, s in enumerate(sigmas)])


class _Noisy(nn.Module):
    """A network, and the noise in front of those of its layers that have these names."""

    def __init__(self, network: nn.Module, names: list[str], noises: list[Noise]) -> None:
        super().__init__()
        self.network, self.names, self.noises = network, names, nn.ModuleList(noises)

    def forward(self, x: Tensor) -> Tensor:
        with self._listening():
            logits: Tensor = self.network(x)
            return logits

    def _layer(self, name: str) -> nn.Module:
        return self.network.get_submodule(name)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Hooks for the time of a pass: without, the network is left as it was."""
        pairs = zip(self.names, self.noises, strict=True)
        hooks = [self._layer(name).register_forward_pre_hook(_adding(noise)) for name, noise in pairs]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


def _adding(noise: nn.Module) -> Callable[[nn.Module, tuple[Any, ...]], tuple[Any, ...]]:
    return lambda _, inputs: (noise(inputs[0]), *inputs[1:])


def _layers(network: nn.Module, kind: type[nn.Module]) -> list[str]:
    return [name for name, module in network.named_modules() if isinstance(module, kind)]
