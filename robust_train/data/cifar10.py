"""CIFAR-10."""

from robust_train.data.torchvision import TorchvisionData


class CIFAR10(TorchvisionData):
    """Photographs of animals and vehicles, 32x32 colour pixels: 50,000 to train on and 10,000 to test.

    References:
        Learning multiple layers of features from tiny images (Krizhevsky, 2009)

    Example:
        >>> CIFAR10(root="data").classes[3]
        'cat'
    """

    classes = (
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    )
    shape = (3, 32, 32)
