"""A lens that zooms while the shutter is open."""

from torch import Tensor

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.ladder import ladder
from robust_train.transforms.corruptions.per_sample import zoom

_ZOOMS = 16


def zoom_blur(inputs: Tensor, severity: Tensor, rng: Streams) -> Tensor:
    r"""Mean of the image and of the image enlarged around its center, more and more.

    .. math:: a \, x + \frac{1 - a}{K} \sum_k x(u / z_k), \qquad 1 \le z_k \le 1 + z

    The benchmark takes 7 to 26 zooms, as z and its step ask for; here there are always 16. It rounds the
    sizes of enlarged images, which also shifts small ones by up to half a pixel; here the center stays.
    """
    # The zoom z, and the weight a of the image beside its zooms.
    small = [[0.06, 1 / 8], [0.11, 1 / 13], [0.15, 1 / 17], [0.20, 1 / 22], [0.25, 1 / 27]]
    large = [[0.11, 1 / 13], [0.15, 1 / 17], [0.20, 1 / 12], [0.24, 1 / 14], [0.30, 1 / 12]]
    most, weight = ladder(inputs, severity, [0.0, 1 / 8], small, large)
    zooms = sum(zoom(inputs, 1 + most * (k / (_ZOOMS - 1))) for k in range(_ZOOMS))
    return weight * inputs + (1 - weight) / _ZOOMS * zooms
