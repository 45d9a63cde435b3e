"""Layers that stretch no difference by more than a given factor."""

from dataclasses import dataclass

import torch
from torch import nn

from robust_train.defenses.base import Defense
from robust_train.defenses.layers import check_layers
from robust_train.lipschitz.layer import layer_bound

_GRID = 4  # a sixteenth of the frequencies of the default, for a bound that is up to 18 % too large


@dataclass(frozen=True)
class SpectralNormalisation(Defense):
    r"""Shrink the weight of each layer whose spectral norm is above a bound, after every step.

    .. math:: W \leftarrow W \big/ \max(1, \|W\|_2 / \lambda)

    The layers are every ``Linear`` and every ``Conv2d``, a convolution as the linear map of whole images
    that it is. Its norm is that of the Fourier transform of the kernel, bounded from above for images of
    any size: by at most 18 %, and 8 % where kernels have 3 pixels along an axis; the paper of Miyato et al.
    takes the norm of the reshaped kernel instead, which the convolution can exceed. As a projection of the
    plain weights (Gouk et al.) it leaves nothing to restore, and averages of weights that meet the bound meet
    it, too. Batch normalisation, the weights of a ``ConvexSum`` and frozen ones are not bounded.

    For each convolution a step solves an eigenvalue problem of its channels at about
    :math:`(4 k)^2 / 2` frequencies, which takes seconds where layers are wide.

    Args:
        bound: The largest norm of a layer, lambda.

    Raises:
        ValueError: The bound is not positive, the network has no such layer, one whose weight is
            parametrized or a convolution that pads by other pixels of the image than those that wrap around,
            or, after a step, a weight is not finite.

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
        check_layers("SpectralNormalisation", network)
        return network

    @torch.no_grad()
    def after_step(self, network: nn.Module) -> None:
        for name, module in network.named_modules():
            if isinstance(module, nn.Linear | nn.Conv2d) and module.weight.requires_grad:
                if not module.weight.isfinite().all():
                    raise ValueError(
                        f"SpectralNormalisation: the weight of layer {name!r} is not finite any more: choose "
                        "a smaller learning rate."
                    )
                module.weight.div_((layer_bound(module, _GRID) / self.bound).clamp_min(1))
