"""Seen through frosted glass."""

import torch
from torch import Tensor

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.ladder import ladder
from robust_train.transforms.gaussian_blur import GaussianBlur

_HOPS = 12  # at most; a pixel goes on from one hop to the next with a probability below 1/2


def glass_blur(inputs: Tensor, severity: Tensor, rng: Streams) -> Tensor:
    """Blurs with a Gaussian, lets every pixel copy a near one, once or more, and blurs again.

    So the published images were made: the swap of two neighbours in their code is a copy of one.
    Pixels change there from the last to the first, and some copy what was copied already; here every
    pixel follows its copies back to their source, all pixels at once.
    """
    # The Gaussian in pixels, and the reach of each round of copies.
    small = [[0.05, 1, 0, 0], [0.25, 1, 0, 0], [0.4, 1, 0, 0], [0.25, 1, 1, 0], [0.4, 1, 1, 0]]
    large = [[0.7, 1, 1, 0], [0.9, 2, 0, 0], [1.0, 2, 2, 2], [1.1, 3, 3, 0], [1.5, 4, 4, 0]]
    sigma, *reaches = ladder(inputs, severity, [0.0, 0, 0, 0], small, large)
    blur, height, width = GaussianBlur(largest=1.5), *inputs.shape[2:]
    x = blur(inputs, sigma.flatten(1)).flatten(2)
    for k, reach in enumerate(reaches):
        u = rng.fold(k).uniform((2, height, width), inputs)
        source = _source(*_offsets(u, reach[:, 0]))
        x = x.gather(2, source[:, None].expand_as(x))
    return blur(x.view_as(inputs), sigma.flatten(1))


def _offsets(u: Tensor, reach: Tensor) -> tuple[Tensor, Tensor]:
    """``(N, H, W)`` twice: rows and columns to the pixel that is copied, from -reach to reach - 1."""
    offset = ((2 * u - 1) * reach[:, None] + (1 - reach[:, None]).clamp_min(0) / 2).floor().long()
    rows, columns = (_inside(side, reach) for side in u.shape[2:])
    down, right = torch.where((rows.mT & columns)[:, None], offset, 0).unbind(1)
    return down, right


def _inside(side: int, reach: Tensor) -> Tensor:
    """``(N, 1, side)`` where a pixel of a line copies: as far from its ends as any copy reaches."""
    place = torch.arange(side, device=reach.device)
    return (place > reach) & (place <= side - reach)


def _source(down: Tensor, right: Tensor) -> Tensor:
    """``(N, H * W)`` the pixel at the end of the copies of each."""
    width = down.shape[2]
    step = (down * width + right).flatten(1)
    own = torch.arange(step.shape[1], device=step.device)
    place = own + step
    ahead = step > 0  # changed before this one, and so a copy itself
    for _ in range(_HOPS):
        onward = step.gather(1, place)
        place, ahead = torch.where(ahead, place + onward, place), ahead & (onward > 0)
    return place
