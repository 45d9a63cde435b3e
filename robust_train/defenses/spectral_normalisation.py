"""Layers that stretch no difference by more than a given factor."""

from dataclasses import dataclass

import torch
from torch import nn

from robust_train.defenses.base import Defense
from robust_train.lipschitz.layer import layer_bound

_GRID = 4  # a sixteenth of the frequencies of the default, for a bound that is up to 8 % larger


@dataclass(frozen=True)
class SpectralNormalisation(Defense):
    r"""Shrink the weight of each layer whose spectral norm is above a bound, after every step.

    .. math:: W \leftarrow W \big/ \max(1, \|W\|_2 / \lambda)

    The layers are every ``Linear`` and every ``Conv2d``, a convolution as the linear map of whole images
    that it is. Its norm is that of the Fourier transform of the kernel, bounded from above for images of
    any size, by up to 8 %; the paper of Miyato et al. takes the norm of the reshaped kernel instead, which
    the convolution can exceed. As a projection of the plain weights (Gouk et al.) it leaves nothing to
    restore, and averages of weights that meet the bound meet it, too. Batch normalisation and the weights
    of a ``ConvexSum`` are not bounded.

    Args:
        bound: The largest norm of a layer, lambda.

    Raises:
        ValueError: The bound is not positive, the network has no such layer, or, after a step, a convolution
            pads by other pixels of the image than those that wrap around.

    References:
        Spectral normalization for generative adversarial networks (Miyato et al., 2018)
        Regularisation of neural networks by enforcing Lipschitz continuity (Gouk et al., 2021)

    Example:
        >>> layer = nn.Linear(2, 2)
        >>> layer.weight.data = torch.tensor([[3.0, 0.0], [0.0, 4.0]])
        >>> SpectralNormalisation(bound=2.0).after_step(layer)
        >>> layer.weight.tolist()
        [[1.5, 0.0], [0.0, 2.0]]
    """

    bound: float = 1.0

    def __post_init__(self) -> None:
        if not self.bound > 0:
            raise ValueError(f"SpectralNormalisation: bound must be positive, not {self.bound}.")

    def wrap(self, network: nn.Module) -> nn.Module:
        if not any(isinstance(module, nn.Linear | nn.Conv2d) for module in network.modules()):
            raise ValueError(
                "SpectralNormalisation: the network has no Linear and no Conv2d to act on: leave it out."
            )
        return network

    @torch.no_grad()
    def after_step(self, network: nn.Module) -> None:
        for module in network.modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                module.weight.div_((layer_bound(module, _GRID) / self.bound).clamp_min(1))
