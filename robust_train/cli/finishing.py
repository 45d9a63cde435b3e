"""From the weights that a training ends with to the network that is judged and saved."""

from math import ceil
from typing import Any

from pytorch_lightning import Trainer
from torch import Tensor
from torch.nn import Module
from torch.utils.data import DataLoader, Subset

from robust_train.data.base import ImageData


def constants(network: Module) -> dict[str, Tensor]:
    """Buffers that no checkpoint holds, such as wavelets.

    The mean of weights averages them too, and so rounds them; who loads the checkpoint has them exact.
    """
    saved = network.state_dict()
    return {name: buffer.clone() for name, buffer in network.named_buffers() if name not in saved}


def to_calibrate_on(trainer: Trainer, data: ImageData) -> tuple[DataLoader[Any], DataLoader[Any]]:
    """Training and validation images, as many of either as the trainer was limited to."""
    return (
        _share(data.train_set, trainer.limit_train_batches, data.batch_size),
        _share(data.validation_set, trainer.limit_val_batches, data.batch_size),
    )


def _share(images: Any, limit: float, batch_size: int) -> DataLoader[Any]:
    """From all over the set; all of them where the limit is none."""
    wanted = limit * batch_size if isinstance(limit, int) else limit * len(images)
    every = max(1, ceil(len(images) / wanted)) if wanted else 1
    return DataLoader(Subset(images, range(0, len(images), every)), batch_size)
