"""A linear classifier of scattering coefficients."""

from collections import OrderedDict
from collections.abc import Sequence

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
    small standard deviations and multiplies by large weights, and its logits are as steep as
    ``steepness`` says. Minimal attacks, such as ``DDN`` and ``DeepFool``, measure what that leaves.

    With other pixel statistics than the default, distances are those of the normalised images.

    Args:
        in_shape: ``(C, H, W)`` of the images.
        classes: Number of logits.
        scales: Of the wavelets; ``2 ** scales`` is at most H and W.
        angles: Of the wavelets.
        stride: Of the places that are kept; by default ``2 ** scales``.
        mean: Of the pixels, one value for each channel or a single one for all.
        std: Likewise.

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
            standardise=nn.BatchNorm1d(count, eps=_LEAST, affine=False),
            head=nn.Linear(count, classes),
        )
        super().__init__(layers)

    @torch.no_grad()
    def steepness(self) -> Tensor:
        r"""``(K, K)`` bounds of how fast two logits move apart, by the l2 distance of images in pixel units.

        .. math:: \|\nabla (f_i - f_j)\|_2 \le \|(w_i - w_j) / \sigma\|_2 / \min_c s_c

        in evaluation mode, with s what each channel is divided by. A margin over its bound is a
        certified radius.
        """
        values = self.state_dict()
        sigma = (values["standardise.running_var"] + _LEAST).sqrt()
        rows = values["head.weight"] / sigma
        bounds: Tensor = torch.cdist(rows, rows) / values["normalize.std"].min()
        return bounds
