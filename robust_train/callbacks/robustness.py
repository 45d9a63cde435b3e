"""Measure robustness inside anybody's Lightning project."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities import rank_zero_warn
from torch import Tensor
from torch.utils.data import IterableDataset, default_collate

from robust_train.evaluation.batches import unpack
from robust_train.evaluation.blocks import Blocks
from robust_train.evaluation.deployed import Deployed
from robust_train.evaluation.evaluator import Evaluator
from robust_train.evaluation.processes import rank_and_world
from robust_train.evaluation.progress import progress
from robust_train.evaluation.results import Results
from robust_train.evaluation.settings import describe
from robust_train.perturbations.base import Perturbation

Stage = Literal["validate", "test", "fit"]


class Robustness(pl.Callback):
    """Judge the module under every regime, on the data set behind the evaluation loader.

    It runs at the last batch of the loop, where averaged weights are in place, so that the
    weights that are judged, selected and saved are the same. The data set is walked in its own
    order, whatever the sampler and the number of processes: every sample counts exactly once. A
    data set without a length is judged batch by batch instead, where a sampler's padding cannot
    be told from samples.

    Figures are logged as ``robust/clean/accuracy`` and ``robust/<regime>/<metric>`` to whatever
    loggers the trainer has, and are there for ``ModelCheckpoint(monitor=...)``. All of them, with
    the outcome of every sample, are in ``results``.

    Args:
        regimes: Perturbations by name.
        on: Loops that are measured: ``validate`` (also inside ``fit``), ``test``, and ``fit`` for
            once at the end of it, on the validation data.
        every_n_epochs: Inside ``fit``, measure every so many epochs.
        limit: Number of samples, drawn by the seed; all by default.
        block: Samples that are searched together.
        seed: Of all random draws.
        mean: Of the normalisation that the data went through, one value a channel; eps stays in
            pixel units.
        std: Likewise.
        logits: Key or position of the logits, where the module returns a dictionary or a tuple.
        keys: Names of inputs and labels, where batches are dictionaries with unusual ones.
        autocast: Judge the module in the trainer's own precision rather than in float32.
        gallery: How many samples to keep the images of.
        bar: Show a progress bar.

    Example:
        >>> from robust_train.perturbations import PGD
        >>> callback = Robustness({"pgd": PGD(eps=8 / 255)}, every_n_epochs=5, limit=1000)
        >>> trainer = pl.Trainer(callbacks=[callback], logger=False, enable_checkpointing=False)
    """

    def __init__(
        self,
        regimes: dict[str, Perturbation],
        on: Sequence[Stage] = ("validate", "test"),
        every_n_epochs: int = 1,
        limit: int | None = None,
        block: int = 128,
        seed: int = 0,
        mean: list[float] | None = None,
        std: list[float] | None = None,
        logits: str | int | None = None,
        keys: tuple[str, str] | None = None,
        autocast: bool = False,
        gallery: int = 8,
        bar: bool = True,
    ) -> None:
        self.regimes, self.on, self.every_n_epochs = dict(regimes), tuple(on), every_n_epochs
        self.limit, self.block, self.seed = limit, block, seed
        self.mean, self.std, self.logits, self.keys = mean, std, logits, keys
        self.autocast, self.gallery, self.bar = autocast, gallery, bar
        self.results: Results | None = None
        self._streaming: Evaluator | None = None
        self._seen = 0
        self._told: set[str] = set()

    @property
    def state_key(self) -> str:
        return f"Robustness[{','.join(self.on)}]"

    def on_validation_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:  # fmt: skip
        if not trainer.sanity_checking and self._due(trainer):
            self._batch(trainer, module, batch, batch_idx, dataloader_idx, "val")

    def on_test_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:  # fmt: skip
        if "test" in self.on:
            self._batch(trainer, module, batch, batch_idx, dataloader_idx, "test")

    def on_validation_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._finish_streaming(module)

    def on_test_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._finish_streaming(module)

    def on_fit_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        loaders = _flat(trainer.val_dataloaders)
        if "fit" in self.on and loaders:
            figures = self._measure(trainer, module, loaders[0], 0)
            for logger in trainer.loggers:
                logger.log_metrics(figures, step=trainer.global_step)

    def _due(self, trainer: pl.Trainer) -> bool:
        if "validate" not in self.on:
            return False
        return trainer.state.fn != "fit" or (trainer.current_epoch + 1) % self.every_n_epochs == 0

    def _batch(
        self, trainer: pl.Trainer, module: pl.LightningModule, batch: Any, number: int, place: int, loop: str
    ) -> None:
        loader = _flat(getattr(trainer, f"{loop}_dataloaders"))[place]
        if isinstance(getattr(loader, "dataset", None), IterableDataset):
            self._stream(trainer, module, batch)
        elif number + 1 == getattr(trainer, f"num_{loop}_batches")[place]:
            self._log(module, self._measure(trainer, module, loader, place))

    def _measure(
        self, trainer: pl.Trainer, module: pl.LightningModule, loader: Any, place: int
    ) -> dict[str, float]:
        """Judge the data set behind a loader."""
        blocks = Blocks(
            loader.dataset, self.block, self.limit, self.seed, getattr(loader, "collate_fn", default_collate)
        )
        evaluator = self._evaluator(module, trainer, blocks.positions()[: self.gallery])
        rank, world = rank_and_world()
        mine = len(range(rank, len(blocks), world))
        with progress(len(self.regimes), mine, self.bar and rank == 0) as tick:
            for index, batch in blocks.of_rank(rank, world):
                inputs, labels = unpack(_transfer(trainer, batch, place), self.keys)
                evaluator.add(index, evaluator.network.pixels(inputs.float()), labels, tick)
        classes = getattr(getattr(trainer, "datamodule", None), "classes", None) or ()
        return self._conclude(evaluator, describe(blocks, evaluator.network, self.autocast), classes)

    def _stream(self, trainer: pl.Trainer, module: pl.LightningModule, batch: Any) -> None:
        """Judge one of the loop's own batches; indices count what this process has seen."""
        if self._streaming is None:
            self._streaming, self._seen = self._evaluator(module, trainer, torch.arange(self.gallery)), 0
        inputs, labels = unpack(batch, self.keys)
        inputs, labels = inputs[: self._room()], labels[: self._room()]
        rank, world = rank_and_world()
        index = rank + world * torch.arange(self._seen, self._seen + len(inputs))
        self._seen += len(inputs)
        self._streaming.add(index, self._streaming.network.pixels(inputs.float()), labels)

    def _room(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self._seen)

    def _finish_streaming(self, module: pl.LightningModule) -> None:
        if self._streaming is None:
            return
        evaluator, self._streaming = self._streaming, None
        settings = {"subset": "the loader's own batches: padding of a sampler cannot be told from samples"}
        self._log(module, self._conclude(evaluator, settings))

    def _evaluator(self, module: pl.LightningModule, trainer: pl.Trainer, gallery: Tensor) -> Evaluator:
        precision = trainer.precision_plugin.forward_context if self.autocast else nullcontext
        deployed = Deployed(module, mean=self.mean, std=self.std, logits=self.logits, precision=precision)
        return Evaluator(deployed, self.regimes, seed=self.seed, gallery=gallery)

    def _conclude(
        self, evaluator: Evaluator, settings: dict[str, Any], classes: Sequence[str] = ()
    ) -> dict[str, float]:
        """Keep the results; the figures by the names under which they are logged."""
        self.results = evaluator.results(settings, tuple(classes))
        for warning in self.results.warnings:
            if warning not in self._told:
                rank_zero_warn(f"Robustness: {warning}")
            self._told.add(warning)
        figures = {"robust/clean/accuracy": self.results.clean_accuracy.value}
        for name, regime in self.results.regimes.items():
            figures |= {f"robust/{name}/{metric}": e.value for metric, e in regime.metrics.items()}
        return figures

    def _log(self, module: pl.LightningModule, figures: dict[str, float]) -> None:
        # Every process holds the same figures of all samples: there is nothing to reduce.
        module.log_dict(figures, on_step=False, on_epoch=True, batch_size=1)


def _flat(loaders: Any) -> list[Any]:
    """The loaders of a loop as a list, whether one was given or several."""
    if isinstance(loaders, dict):
        return list(loaders.values())
    return list(loaders) if isinstance(loaders, (list, tuple)) else [loaders] if loaders is not None else []


def _transfer(trainer: pl.Trainer, batch: Any, place: int) -> Any:
    """A batch through the module's transfer hooks and onto its device, as the loop itself does it."""
    batch = trainer.lightning_module._on_before_batch_transfer(batch, place)
    return trainer.strategy.batch_to_device(batch, dataloader_idx=place)
