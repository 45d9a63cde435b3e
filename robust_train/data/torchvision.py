"""Data sets that torchvision reads."""

from abc import ABC
from pathlib import Path
from typing import Any

import torch

from robust_train.data.base import ImageData
from robust_train.data.labelled_images import LabelledImages
from robust_train.data.tensor_images import TensorImages


class TorchvisionData(ImageData, ABC):
    """A data set of ``torchvision.datasets``, found there by the name of the subclass.

    Args:
        root: The folder that torchvision is given; data sets lie side by side in it.
        download: Fetch what is missing.
        options: Those of every data set, see ``ImageData``.

    Raises:
        FileNotFoundError: The files are missing or damaged, or could not be fetched.
    """

    def __init__(self, root: str = "data", download: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.root = root
        self.download = download

    def prepare_data(self) -> None:
        """Fetch what is missing, once for all processes, if that is wanted."""
        if self.download:
            for train in (True, False):
                self._open(train, download=True)

    def read(self, train: bool) -> LabelledImages:
        source = self._open(train)
        channels, height, width = self.shape
        pixels = torch.as_tensor(source.data).reshape(-1, height, width, channels)
        return TensorImages(pixels.permute(0, 3, 1, 2).contiguous(), torch.as_tensor(source.targets))

    def _open(self, train: bool, download: bool = False) -> Any:
        from torchvision import datasets

        name, root = type(self).__name__, Path(self.root).expanduser().absolute()
        try:
            return getattr(datasets, name)(root, train=train, download=download)
        except (RuntimeError, OSError, ValueError, AssertionError) as error:
            cure = (
                "check the connection"
                if download
                else "fetch it with download=True (on the command line --data.download=true)"
            )
            raise FileNotFoundError(
                f"{name} is missing or damaged in {root}: {cure}, or put its files there as torchvision "
                "lays them out, or name another folder with --data.root."
            ) from error
