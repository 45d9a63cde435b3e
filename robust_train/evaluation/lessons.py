"""The images that regimes learn from before they are judged on others."""

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from torch import Tensor
from torch.utils.data import DataLoader, Subset

from robust_train.evaluation.blocks import Blocks, has_positions
from robust_train.evaluation.sampled import sampled
from robust_train.perturbations.base import Perturbation

SHARE = 0.2
"""Of the samples to judge, where there are no others: they are learnt from and never judged."""

LEARNING = 0x1EA7
"""Purpose of the stream that regimes learn with."""

_LIGHTNING = ("pytorch_lightning", "lightning")


@dataclass(frozen=True)
class Lessons:
    """Images to learn from: training images, or samples that are held out and never judged.

    Every process walks all batches, in the order of the data set, so that all learn the same,
    however many they are.

    Args:
        blocks: Where the images are; the limit is each regime's own.
        read: Makes ``(N, ...)`` images in pixel units and ``(N,)`` labels of a batch.
        source: What they are, such as ``training images``.
    """

    blocks: Blocks
    read: Callable[[Any], tuple[Tensor, Tensor]]
    source: str

    @classmethod
    def of(
        cls, judged: Blocks, training: Any | None, read: Callable[[Any], tuple[Tensor, Tensor]]
    ) -> "Lessons":
        """From the training images, where there are any, or else from what is held out."""
        if training is not None:
            return cls(replace(judged, dataset=training, held=0), read, "training images")
        dataset: Any = judged.dataset
        held: Any = Subset(dataset, judged.held_out().tolist())
        return cls(replace(judged, dataset=held, held=0), read, "samples that are not judged")

    def limited(self, images: int | None) -> "Lessons":
        """At most so many of the images, drawn by the seed."""
        return replace(self, blocks=replace(self.blocks, limit=images))

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for _, batch in self.blocks.of_rank(0, 1):
            yield self.read(batch)

    def __len__(self) -> int:
        return len(self.blocks.positions())

    def __str__(self) -> str:
        total = len(self.blocks.dataset)
        drawn = f", drawn with seed {self.blocks.seed}" if len(self) < total else ""
        return f"{len(self)} of {total} {self.source}{drawn}"


def learners(suite: Iterable[Any]) -> list[Perturbation]:
    """The regimes of a suite that have to learn first."""
    return [p for p in suite if isinstance(p, Perturbation) and not p.fitted]


def share(total: int, learning: list[Perturbation]) -> int:
    """How many of so many samples to hold out, so that those regimes can learn.

    Raises:
        ValueError: None would be left to judge.

    Example:
        >>> share(450, learning=[])
        0
    """
    held = min(ceil(SHARE * total), max((getattr(p, "images", total) for p in learning), default=0))
    if held == total > 0:
        raise ValueError(
            "The one sample of the data set cannot be learnt from and judged, too: give more samples, or "
            "training images to learn from."
        )
    return held


def training_part(data: Any, judged: Any) -> Any | None:
    """The samples that the training loader of a data module draws from, as far as there is one.

    Where it says what its transform is, and is of the kind of the data set that is judged, it comes
    through that one's transform instead: without augmentation.
    """
    hook = getattr(type(data), "train_dataloader", None)
    if hook is None or hook.__module__.partition(".")[0] in _LIGHTNING:
        return None  # no data module, or the hook that all inherit
    try:
        data.setup("fit")
    except FileNotFoundError:  # of a folder that holds a test part alone
        return None
    return behind(data.train_dataloader(), judged)


def behind(loader: Any, judged: Any) -> Any | None:
    """The samples that a training loader draws from, without augmentation where that can be told.

    None of them is judged: of samples of one data set, only the others are left, if there are any.
    """
    known = isinstance(loader, DataLoader) and has_positions(loader.dataset) and len(loader.dataset) > 0  # type: ignore[arg-type]
    others = _others(sampled(loader), judged) if known else None
    return None if others is None else _plain(others, judged)


def _others(training: Any, judged: Any) -> Any | None:
    """Those of the samples that are not judged."""
    if _whole(training) is not _whole(judged):
        return training
    places, taken = _places(training), set(_places(judged))
    rest = [place for place in places if place not in taken]
    if len(rest) == len(places):
        return training
    return Subset(_whole(training), rest) if rest else None


def _whole(data: Any) -> Any:
    """The data set that a subset is of."""
    return _whole(data.dataset) if isinstance(data, Subset) else data


def _places(data: Any) -> list[int]:
    """The positions of the samples in the whole data set."""
    if not isinstance(data, Subset):
        return list(range(len(data)))
    outer = _places(data.dataset)
    return [outer[int(place)] for place in data.indices]


def _plain(training: Any, judged: Any) -> Any:
    """The training images through the transform of those that are judged."""
    if isinstance(judged, Subset):
        return _plain(training, judged.dataset)
    if isinstance(training, Subset):
        return Subset(_plain(training.dataset, judged), training.indices)
    if type(training) is not type(judged) or not hasattr(training, "transform"):
        return training
    plain = copy(training)
    for name in ("transform", "transforms"):  # torchvision's data sets have both, and use either
        if hasattr(judged, name):
            setattr(plain, name, getattr(judged, name))
    return plain
