"""The samples that a loader draws from."""

from operator import length_hint
from typing import Any
from warnings import warn

from torch.utils.data import DataLoader, DistributedSampler, Subset, SubsetRandomSampler


def sampled(loader: DataLoader[Any]) -> Any:
    """The data set behind a loader, or the subset of it that its sampler names, in ascending order.

    A ``SubsetRandomSampler`` is followed, also where Lightning divides it among processes. Any other sampler
    says how many samples it draws, but not which, and a batch sampler of its own kind not even that: where
    these may not be all, a warning says that all are taken.

    Args:
        loader: Of a data set with positions.

    Example:
        >>> loader = DataLoader(["a", "b", "c", "d"], sampler=SubsetRandomSampler([3, 1]))
        >>> list(sampled(loader))
        ['b', 'd']
    """
    dataset: Any = loader.dataset
    sampler, total = _sampler(loader), len(dataset)
    if isinstance(sampler, SubsetRandomSampler):
        return Subset(dataset, sorted({int(position) for position in sampler.indices}))
    batches = loader.batch_sampler
    if batches is not None and not hasattr(batches, "sampler"):
        _warn(f"{type(batches).__name__} does not say which samples it draws", total)
        return dataset
    drawn = total if isinstance(sampler, DistributedSampler) else length_hint(sampler, total)
    if drawn < total:
        _warn(f"{type(sampler).__name__} draws {drawn} of {total} samples and does not say which", total)
    return dataset


def _warn(reason: str, total: int) -> None:
    warn(
        f"{reason}, so that all {total} are taken: to take a part of them, give a Subset or a "
        "SubsetRandomSampler.",
        stacklevel=3,
    )


def _sampler(loader: DataLoader[Any]) -> Any:
    """What draws the positions of a loader's batches in a single process."""
    sampler = getattr(loader.batch_sampler, "sampler", loader.sampler)
    if isinstance(sampler, DistributedSampler):  # Lightning's own keeps the one that it divides
        return getattr(sampler.dataset, "_sampler", sampler)
    return sampler
