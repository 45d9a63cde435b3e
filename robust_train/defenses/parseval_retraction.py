"""Weights that are kept nearly orthogonal."""

import math
from dataclasses import dataclass
from zlib import crc32

import torch
from torch import Tensor, nn

from robust_train.defenses.base import Defense
from robust_train.defenses.layers import check_layers
from robust_train.lipschitz.simplex import project_onto_simplex
from robust_train.networks.convex_sum import ConvexSum
from robust_train.randomness import Streams


@dataclass(frozen=True)
class ParsevalRetraction(Defense):
    r"""Pull the weights of each layer towards a tight frame after every step: a Parseval network.

    .. math:: W \leftarrow (1 + \beta) W - \beta W W^\top W

    which takes each singular value s to :math:`(1 + \beta) s - \beta s^3`, nearer to 1. It touches the
    weight of every ``Linear``, the kernel of every ``Conv2d`` as the matrix of all that an output sees,
    one for each of its groups, and projects the weights of every ``ConvexSum`` onto the simplex; biases,
    normalisation and frozen weights stay.

    A kernel is multiplied before and divided after by the root of the number of outputs that see one
    pixel, :math:`\lceil k \gcd(s, d) / s \rceil` an axis with a stride s and a dilation d, so that
    singular values of 1 leave the convolution with a norm of at most 1. That is no orthogonal
    convolution: some images it shrinks.

    The rows are drawn from the seed and the weights themselves, which no two steps share: nothing has
    to be remembered, and all processes draw the same. The paper evaluated it with FGSM alone.

    Args:
        beta: Strength of the pull, between 0 and 1.
        rows: Share of the rows of each matrix that a step pulls, among themselves.
        seed: Seed of the draw of the rows.

    Raises:
        ValueError: A number has no meaning, the network has no such layer, one whose weight is parametrized
            or a convolution that pads by other pixels of the image than those that wrap around, or, after a
            step, a singular value is so large that the pull would drive it away:
            :math:`s^2 \ge (2 + \beta) / \beta`.

    References:
        Parseval networks: improving robustness to adversarial examples (Cisse et al., 2017)

    Example:
        >>> layer = nn.Linear(2, 2, bias=False)
        >>> layer.weight.data = torch.diag(torch.tensor([0.5, 1.0]))
        >>> ParsevalRetraction(beta=0.5).after_step(layer)
        >>> layer.weight.diag().tolist()
        [0.6875, 1.0]
    """

    beta: float = 3e-4
    rows: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not (0 < self.beta < 1 and 0 < self.rows <= 1):
            raise ValueError(
                f"ParsevalRetraction: beta must be between 0 and 1 and rows a share in (0, 1], "
                f"not {self.beta} and {self.rows}."
            )

    def wrap(self, network: nn.Module) -> nn.Module:
        check_layers("ParsevalRetraction", network)
        return network

    @torch.no_grad()
    def after_step(self, network: nn.Module) -> None:
        pulled: set[Tensor] = set()  # two layers may share a weight
        for module in network.modules():
            if isinstance(module, nn.Linear | nn.Conv2d) and module.weight.requires_grad:
                if module.weight in pulled:
                    continue
                pulled.add(module.weight)
                scale = _overlap(module)
                for part in module.weight.chunk(1 if isinstance(module, nn.Linear) else module.groups):
                    w = part.flatten(1) * scale
                    rows = self._rows(w)
                    w[rows] = self._pulled(w[rows])
                    part.copy_((w / scale).view_as(part))
            elif isinstance(module, ConvexSum) and module.alpha.requires_grad:
                module.alpha.copy_(project_onto_simplex(module.alpha))

    def _pulled(self, w: Tensor) -> Tensor:
        self._check(w)
        gram = w.T @ w if len(w) > w.shape[1] else w @ w.T
        product = w @ gram if len(w) > w.shape[1] else gram @ w
        return (1 + self.beta) * w - self.beta * product

    def _check(self, w: Tensor) -> None:
        most = math.sqrt((2 + self.beta) / self.beta)
        if w.norm() >= most:  # which no singular value exceeds
            largest = torch.linalg.matrix_norm(w.double(), 2).item()
            if not largest < most:
                raise ValueError(
                    f"ParsevalRetraction: a singular value of {largest:.3g} would grow: beta {self.beta:g} "
                    f"pulls those below {most:.3g}; choose a smaller beta or learning rate."
                )

    def _rows(self, w: Tensor) -> Tensor:
        if self.rows == 1:
            return torch.arange(len(w), device=w.device)
        content = crc32(w.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
        order = Streams.of(self.seed, [content]).uniform((len(w),))[0].argsort()
        return order[: max(1, round(self.rows * len(w)))].to(w.device)


def _overlap(module: nn.Linear | nn.Conv2d) -> float:
    """Root of the number of outputs that see one input."""
    if isinstance(module, nn.Linear):
        return 1.0
    axes = zip(module.kernel_size, module.stride, module.dilation, strict=True)
    return math.sqrt(math.prod(math.ceil(k * math.gcd(s, d) / s) for k, s, d in axes))
