"""MNIST."""

from robust_train.data.torchvision import TorchvisionData


class MNIST(TorchvisionData):
    """Handwritten digits, 28x28 grey pixels: 60,000 to train on and 10,000 to test.

    References:
        Gradient-based learning applied to document recognition (LeCun et al., 1998)

    Example:
        >>> MNIST(root="data", batch_size=256).shape
        (1, 28, 28)
    """

    classes = tuple("0123456789")
    shape = (1, 28, 28)
