"""The deep variational information bottleneck."""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import Literal

from torch import nn

from robust_train.networks.bottleneck import Bottleneck
from robust_train.networks.normalize import Normalize


class VIB(nn.Sequential):
    r"""A dense encoder to a Gaussian code, of which a linear decoder sees a draw.

    .. math:: p(z | x) = N\big(\mu(x), \mathrm{diag}\, \sigma(x)^2\big), \qquad f(x) = W z + b

    To be trained with ``InformationPenalty``, without which nothing holds the code to be noisy. The
    published prediction, the mean over 12 draws, is ``decoding="draws"`` in an evaluation with ``draws: 12``.

    That it is robust is disputed: information bottlenecks alone are not a strong defense, and what was
    reported was likely influenced by obfuscated gradients (Korshunova et al., 2021). Attack the mean
    decoding, or the expectation over draws, and ascend a margin.

    Args:
        in_shape: ``(C, H, W)`` of the images.
        hidden: Widths of the encoder's layers.
        code: Width of the code, K.
        classes: Number of logits.
        decoding: What the decoder sees in evaluation mode: the ``mean`` of the code, or ``draws`` of it.
        seed: Seed of the draws.
        mean: Mean of the pixels, one value for each channel or a single one for all.
        std: Standard deviation of the pixels, in the same form.

    References:
        Deep variational information bottleneck (Alemi et al., 2017)
        A closer look at the adversarial robustness of information bottleneck models (Korshunova et al.,
        2021)

    Example:
        >>> import torch
        >>> network = VIB(in_shape=(1, 8, 8), hidden=[32], code=8)
        >>> network(torch.rand(5, 1, 8, 8)).shape
        torch.Size([5, 10])
    """

    def __init__(
        self,
        in_shape: tuple[int, int, int] = (1, 28, 28),
        hidden: Sequence[int] = (1024, 1024),
        code: int = 256,
        classes: int = 10,
        decoding: Literal["mean", "draws"] = "mean",
        seed: int = 0,
        mean: Sequence[float] = (0.5,),
        std: Sequence[float] = (0.5,),
    ) -> None:
        widths = (prod(in_shape), *hidden)
        features: list[nn.Module] = [nn.Flatten()]
        for inputs, outputs in pairwise(widths):
            features += [nn.Linear(inputs, outputs), nn.ReLU()]
        layers = OrderedDict[str, nn.Module](
            normalize=Normalize(mean, std, in_shape),
            features=nn.Sequential(*features),
            statistics=nn.Linear(widths[-1], 2 * code),
            bottleneck=Bottleneck(decoding, seed),
            head=nn.Linear(code, classes),
        )
        super().__init__(layers)
