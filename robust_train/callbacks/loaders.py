"""What a trainer's loaders give."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as pl
from lightning_fabric.utilities.data import sized_len
from torch.utils.data import DataLoader

from robust_train.evaluation.blocks import has_positions
from robust_train.evaluation.lessons import behind, training_part


def flat(loaders: Any) -> list[Any]:
    """The loaders of a loop as a list, whether one was given or several.

    Example:
        >>> flat({"a": 1, "b": 2}), flat(1), flat(None)
        ([1, 2], [1], [])
    """
    if isinstance(loaders, dict):
        return list(loaders.values())
    return list(loaders) if isinstance(loaders, (list, tuple)) else [loaders] if loaders is not None else []


def walkable(loader: Any) -> bool:
    """Whether the samples behind a loader can be asked for one by one; else its batches are taken.

    Example:
        >>> walkable(DataLoader(["a", "b"])), walkable(["a", "b"])
        (True, False)
    """
    known = isinstance(loader, DataLoader) and loader.batch_sampler is not None
    return known and sized_len(loader) is not None and has_positions(loader.dataset)


def transferred(trainer: pl.Trainer, batch: Any, place: int) -> Any:
    """A batch through the module's transfer hooks and onto its device, as the loop itself does it.

    Args:
        trainer: Inside a loop.
        batch: Of the loader.
        place: Which loader of the loop it is of.
    """
    batch = trainer.lightning_module._on_before_batch_transfer(batch, place)
    return trainer.strategy.batch_to_device(batch, dataloader_idx=place)


@contextmanager
def validating(trainer: pl.Trainer) -> Iterator[list[Any]]:
    """The validation loaders of a fit, as if the loop over them ran: a module's hooks can tell loops apart.

    Args:
        trainer: At the end of a fit.
    """
    stage = trainer.state.stage
    trainer.validating = True
    try:
        if trainer.enable_validation:
            trainer.fit_loop.epoch_loop.val_loop.setup_data()
        yield flat(trainer.val_dataloaders)
    finally:
        trainer.state.stage = stage


def training_samples(trainer: pl.Trainer, judged: Any) -> Any | None:
    """The samples of the training loader, as far as the trainer or its data module has one.

    Args:
        trainer: In any loop.
        judged: The samples that are judged, which are not to be learnt from.
    """
    if trainer.state.fn == "fit":
        loaders = flat(trainer.train_dataloader)
        return behind(loaders[0], judged) if loaders else None
    return training_part(getattr(trainer, "datamodule", None), judged)
