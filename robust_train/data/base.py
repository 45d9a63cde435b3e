"""What every data module of images promises."""

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Dataset, RandomSampler, Subset

from robust_train.data.labelled_images import LabelledImages, Sample
from robust_train.data.replayed import Replayed
from robust_train.data.split import stratified_split


class ImageData(pl.LightningDataModule, ABC):
    """Images with labels, in three parts: training, validation and test.

    Validation is a share of the training part, the same in every run and of the same proportions of
    classes, so that nothing is ever selected on the test part. Batches of the training part are
    shuffled by the global generator of torch, hence alike under ``seed_everything``; the other
    parts keep their order. Nothing is dropped, unless the last batch of an epoch would be a single
    image, of which batch normalisation has no variance.

    A subclass names its ``classes`` and the ``shape`` of its images, and reads them.

    Args:
        batch_size: Images in a batch.
        workers: Processes that read images, beside the main one.
        validation: Share of the training part that is held out.
        seed: Seed of the choice of that share.
        replays: How often each batch of the training part comes, in a row; an epoch is that much longer.

    Raises:
        ValueError: The share is not between 0 and 1, or batches are to come less than once.

    Example:
        >>> from robust_train.data.tensor_images import TensorImages
        >>> class Grey(ImageData):
        ...     classes, shape = ("dark", "light"), (1, 2, 2)
        ...     def read(self, train):
        ...         levels = torch.arange(100, dtype=torch.uint8)
        ...         return TensorImages(levels.view(-1, 1, 1, 1).expand(-1, 1, 2, 2), (levels >= 50).long())
        >>> data = Grey(batch_size=32, validation=0.1)
        >>> len(data.train_set), len(data.validation_set)
        (90, 10)
    """

    def __init__(
        self,
        batch_size: int = 128,
        workers: int = 0,
        validation: float = 0.1,
        seed: int = 0,
        replays: int = 1,
    ) -> None:
        super().__init__()
        if not 0 < validation < 1:
            raise ValueError(f"validation must be a share between 0 and 1, not {validation}.")
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}.")
        if replays < 1:
            raise ValueError(f"replays must be at least 1, which is no replay, not {replays}.")
        self.batch_size = batch_size
        self.workers = workers
        self.validation = validation
        self.seed = seed
        self.replays = replays

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the labels."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int, int]:
        """``(C, H, W)`` of the images."""

    @abstractmethod
    def read(self, train: bool) -> LabelledImages:
        """The whole training part, or the test part."""

    @property
    def num_classes(self) -> int:
        """Number of labels."""
        return len(self.classes)

    @property
    def train_set(self) -> Subset[Sample]:
        """The training part without what is held out."""
        return self._training[0]

    @property
    def validation_set(self) -> Subset[Sample]:
        """What is held out of the training part."""
        return self._training[1]

    @cached_property
    def test_set(self) -> LabelledImages:
        """The test part."""
        return self.read(train=False)

    @cached_property
    def _training(self) -> tuple[Subset[Sample], Subset[Sample]]:
        images = self.read(train=True)
        count = min(max(1, round(self.validation * len(images))), len(images) - 1)
        rest, held = stratified_split(images.labels, count, self.seed)
        return Subset(images, rest.tolist()), Subset(images, held.tolist())

    def setup(self, stage: str) -> None:
        """Read what the stage needs, so that missing data is noticed before a run begins."""
        images = self.train_set if stage in ("fit", "validate") else self.test_set
        if not len(images):
            raise ValueError(f"{type(self).__name__} holds no images to {stage}.")

    def train_dataloader(self) -> DataLoader[Sample]:
        processes = self.trainer.world_size if self.trainer else 1
        images = -(-len(self.train_set) // processes)
        lone = images > 1 and images % self.batch_size == 1
        if self.replays == 1:
            return self._loader(self.train_set, batch_size=self.batch_size, shuffle=True, drop_last=lone)
        batches = Replayed(RandomSampler(self.train_set), self.batch_size, lone, self.replays)
        return self._loader(self.train_set, batch_sampler=batches)

    def val_dataloader(self) -> DataLoader[Sample]:
        return self._loader(self.validation_set, batch_size=self.batch_size)

    def test_dataloader(self) -> DataLoader[Sample]:
        return self._loader(self.test_set, batch_size=self.batch_size)

    def _loader(self, images: Dataset[Sample], **options: Any) -> DataLoader[Sample]:
        return DataLoader(
            images,
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            pin_memory=torch.cuda.is_available(),
            **options,
        )
