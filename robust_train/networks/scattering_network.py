"""A linear classifier of scattering coefficients."""

from collections import OrderedDict
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from robust_train.networks.normalize import Normalize
from robust_train.networks.scattering import Scattering

_LEAST = 1e-8  # variance: averages of moduli are small


class ScatteringNetwork(nn.Sequential):
    r"""Fixed features that do not expand, standardised, and one dense layer: all that is learnt.

    .. math:: f(x) = W \frac{S x - \mu}{\sigma} + b, \qquad \|S x - S y\|_2 \le \|x - y\|_2

    The features forget where things are below ``2 ** scales`` pixels, and change in proportion to the
    gradient of a deformation. Neither makes the classifier robust, as the review remarks: it divides by
    small standard deviations and multiplies by large weights. How steep that makes the logits
    ``difference_bounds`` tells; the study ``CertifiedRadius`` shows what it certifies beside what an
    attack finds.

    With other pixel statistics than the default, distances are those of the normalised images.

    Args:
        in_shape: ``(C, H, W)`` of the images.
        classes: Number of logits.
        scales: Number of scales of the wavelets; ``2 ** scales`` is at most H and W.
        angles: Number of angles of the wavelets.
        stride: Pixels between the places that are kept; by default ``2 ** scales``.
        mean: Mean of the pixels, one value for each channel or a single one for all.
        std: Standard deviation of the pixels, in the same form.

    Raises:
        ValueError: The images are smaller than the average.

    References:
        Invariant scattering convolution networks (Bruna and Mallat, 2013)

    Example:
        >>> ScatteringNetwork(in_shape=(1, 8, 8))(torch.rand(5, 1, 8, 8)).shape
        torch.Size([5, 10])
    """

    def __init__(
        self,
        in_shape: tuple[int, int, int] = (1, 28, 28),
        classes: int = 10,
        scales: int = 2,
        angles: int = 8,
        stride: int | None = None,
        mean: Sequence[float] = (0.0,),
        std: Sequence[float] = (1.0,),
    ) -> None:
        channels, height, width = in_shape
        scattering = Scattering((height, width), scales, angles, stride)
        places = -(-height // scattering.stride) * -(-width // scattering.stride)
        count = channels * scattering.paths * places
        layers = OrderedDict[str, nn.Module](
            normalize=Normalize(mean, std, in_shape),
            features=nn.Sequential(scattering, nn.Flatten()),
            head=_StandardisedLinear(count, classes),
        )
        super().__init__(layers)


class _StandardisedLinear(nn.Module):
    """A dense layer behind batch normalisation without weights of its own."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.standardise = nn.BatchNorm1d(inputs, eps=_LEAST, affine=False)
        self.linear = nn.Linear(inputs, outputs)

    @property
    def matrix(self) -> Tensor:
        r"""``(K, D)`` of both in evaluation mode: :math:`W / \sigma`."""
        assert self.standardise.running_var is not None
        return self.linear.weight / (self.standardise.running_var + _LEAST).sqrt()

    def lipschitz(self, bound: Callable[[nn.Module], float]) -> float:
        """The largest singular value, in evaluation mode."""
        return float(torch.linalg.matrix_norm(self.matrix.double(), 2))

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.linear(self.standardise(x))
        return logits
