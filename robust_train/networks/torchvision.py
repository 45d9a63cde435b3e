"""The classifiers of torchvision, with pixels in [0, 1]."""

from collections.abc import Sequence
from difflib import get_close_matches

from torch import Tensor, nn

from robust_train.networks.normalize import Normalize

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


class Torchvision(nn.Module):
    """Any classifier of ``torchvision.models`` behind the normalisation that it leaves to its user.

    Its weights are random. Those of torchvision belong into ``network``, whose names are theirs:
    ``Torchvision("resnet18").network.load_state_dict(weights)``.

    Args:
        name: Name of the network as torchvision spells it, such as ``resnet18``.
        classes: Number of logits.
        mean: Mean of the pixels, for each of the three channels; by default that of torchvision's weights,
            which is ImageNet's for most.
        std: Standard deviation of the pixels, for each of the three channels; by default of the same.

    Raises:
        ValueError: torchvision has no classifier of that name.

    Example:
        >>> import torch
        >>> Torchvision("squeezenet1_1", classes=10).eval()(torch.rand(2, 3, 64, 64)).shape
        torch.Size([2, 10])
    """

    def __init__(
        self,
        name: str = "resnet18",
        classes: int = 1000,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        network = _build(name, classes)
        own_mean, own_std = normalisation(network, name)
        self.normalize = Normalize(mean or own_mean, std or own_std, (3,))
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        logits = self.network(self.normalize(images))
        # GoogLeNet and Inception return auxiliary logits, too, while they are trained.
        return logits if isinstance(logits, Tensor) else logits.logits


def normalisation(network: nn.Module, name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of the pixels that torchvision's weights of a network were trained with.

    Args:
        network: The network, as it was built.
        name: Its name as torchvision spells it; of names without weights, ImageNet's are returned.

    Example:
        >>> normalisation(nn.Identity(), "efficientnet_v2_l")
        ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    """
    from torchvision import models

    # Inception and GoogLeNet were; built with weights, they turn ImageNet's into it themselves.
    if getattr(network, "transform_input", None) is False:
        return _HALF
    try:
        preset = models.get_model_weights(name).DEFAULT.transforms()
    except ValueError:
        return _IMAGENET
    return tuple(preset.mean), tuple(preset.std)


def _build(name: str, classes: int) -> nn.Module:
    from torchvision import models

    names = models.list_models(module=models)
    if name not in names:
        close = get_close_matches(name, names, n=1)
        cure = f"did you mean {close[0]}?" if close else "torchvision.models.list_models() names them."
        raise ValueError(f"torchvision has no classifier called {name}: {cure}")
    network: nn.Module = models.get_model(name, weights=None, num_classes=classes)
    return network
