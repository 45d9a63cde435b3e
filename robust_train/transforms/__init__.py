"""Families of image transformations, one parameter for each image."""

from robust_train.transforms.base import Transform

__all__ = ["Transform"]
