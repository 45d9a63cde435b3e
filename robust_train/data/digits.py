"""The handwritten digits of scikit-learn."""

import torch

from robust_train.data.base import ImageData
from robust_train.data.labelled_images import LabelledImages
from robust_train.data.split import stratified_split
from robust_train.data.tensor_images import TensorImages

_TEST_IMAGES = 450  # a quarter
_TEST_SEED = 0  # fixed: figures on the test part compare across runs and seeds


class Digits(ImageData):
    """1,797 handwritten digits of 8x8 pixels in 17 shades of grey, which scikit-learn carries.

    They come as one set; the test part is a fixed quarter of it, 450 images, with the proportions
    of the classes kept.

    References:
        Optical recognition of handwritten digits (Alpaydin and Kaynak, 1998)

    Example:
        >>> data = Digits()
        >>> len(data.train_set), len(data.validation_set), len(data.test_set)
        (1212, 135, 450)
    """

    classes = tuple("0123456789")
    shape = (1, 8, 8)

    def read(self, train: bool) -> LabelledImages:
        from sklearn.datasets import load_digits

        source = load_digits()
        pixels = torch.from_numpy(source.images).to(torch.uint8)[:, None]
        labels = torch.from_numpy(source.target).long()
        rows = stratified_split(labels, _TEST_IMAGES, _TEST_SEED)[0 if train else 1]
        return TensorImages(pixels[rows], labels[rows], white=16)
