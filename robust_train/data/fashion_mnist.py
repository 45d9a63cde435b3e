"""Fashion-MNIST."""

from robust_train.data.torchvision import TorchvisionData


class FashionMNIST(TorchvisionData):
    """Pictures of clothes, 28x28 grey pixels: 60,000 to train on and 10,000 to test.

    References:
        Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms
        (Xiao et al., 2017)

    Example:
        >>> FashionMNIST(root="data").classes[7]
        'Sneaker'
    """

    classes = (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    )
    shape = (1, 28, 28)
