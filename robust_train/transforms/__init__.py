"""Families of image transformations, one parameter for each image."""

from robust_train.transforms.affine import Affine
from robust_train.transforms.base import Transform
from robust_train.transforms.brightness import Brightness
from robust_train.transforms.channels import Channels
from robust_train.transforms.contrast import Contrast
from robust_train.transforms.corruption import Corruption
from robust_train.transforms.deformation import Deformation
from robust_train.transforms.dilation import Dilation
from robust_train.transforms.eyeglass_frame import EyeglassFrame
from robust_train.transforms.gamma import Gamma
from robust_train.transforms.gaussian_blur import GaussianBlur
from robust_train.transforms.mask import Mask
from robust_train.transforms.occluder import Occluder
from robust_train.transforms.placement import Placement
from robust_train.transforms.rigid import Rigid
from robust_train.transforms.rotation import Rotation
from robust_train.transforms.similarity import Similarity
from robust_train.transforms.subspace import Subspace
from robust_train.transforms.translation import Translation

__all__ = [
    "Affine",
    "Brightness",
    "Channels",
    "Contrast",
    "Corruption",
    "Deformation",
    "Dilation",
    "EyeglassFrame",
    "Gamma",
    "GaussianBlur",
    "Mask",
    "Occluder",
    "Placement",
    "Rigid",
    "Rotation",
    "Similarity",
    "Subspace",
    "Transform",
    "Translation",
]
