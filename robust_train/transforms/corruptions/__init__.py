"""The fifteen common corruptions: each a function of images, their severities and their streams."""

from collections.abc import Callable

from torch import Tensor

from robust_train.randomness import Streams
from robust_train.transforms.corruptions.brightness import brightness
from robust_train.transforms.corruptions.contrast import contrast
from robust_train.transforms.corruptions.defocus_blur import defocus_blur
from robust_train.transforms.corruptions.elastic_transform import elastic_transform
from robust_train.transforms.corruptions.fog import fog
from robust_train.transforms.corruptions.frost import frost
from robust_train.transforms.corruptions.gaussian_noise import gaussian_noise
from robust_train.transforms.corruptions.glass_blur import glass_blur
from robust_train.transforms.corruptions.impulse_noise import impulse_noise
from robust_train.transforms.corruptions.jpeg_compression import jpeg_compression
from robust_train.transforms.corruptions.motion_blur import motion_blur
from robust_train.transforms.corruptions.pixelate import pixelate
from robust_train.transforms.corruptions.shot_noise import shot_noise
from robust_train.transforms.corruptions.snow import snow
from robust_train.transforms.corruptions.zoom_blur import zoom_blur

KINDS: dict[str, Callable[[Tensor, Tensor, Streams], Tensor]] = {
    kind.__name__: kind
    for kind in (
        gaussian_noise,
        shot_noise,
        impulse_noise,
        defocus_blur,
        glass_blur,
        motion_blur,
        zoom_blur,
        snow,
        frost,
        fog,
        brightness,
        contrast,
        elastic_transform,
        pixelate,
        jpeg_compression,
    )
}
"""By name, in the order of the benchmark: noise, blur, weather, digital.

Each takes images ``(N, C, H, W)`` in [0, 1], severities ``(N,)`` in [0, 5] and a stream of random
numbers for each image.
"""
