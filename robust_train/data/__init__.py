"""Data: images in [0, 1] with labels, split so that nothing is ever selected on test data."""

from robust_train.data.base import ImageData
from robust_train.data.cifar10 import CIFAR10
from robust_train.data.digits import Digits
from robust_train.data.fashion_mnist import FashionMNIST
from robust_train.data.image_folder import ImageFolder
from robust_train.data.mnist import MNIST
from robust_train.data.rgbd_shapes import RGBDShapes

__all__ = ["CIFAR10", "MNIST", "Digits", "FashionMNIST", "ImageData", "ImageFolder", "RGBDShapes"]
