"""Measure robustness inside anybody's Lightning project."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from math import ceil
from typing import Any, Literal, get_args

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities import rank_zero_warn
from torch import Tensor

from robust_train.attacking.modes import attack_mode, evaluating, untouched
from robust_train.callbacks.loaders import flat, training_samples, transferred, validating, walkable
from robust_train.callbacks.streaming import Streaming
from robust_train.checks import check_whole
from robust_train.evaluation.batches import unpack
from robust_train.evaluation.blocks import Blocks
from robust_train.evaluation.class_names import class_names
from robust_train.evaluation.deployed import Deployed, check_normalisation
from robust_train.evaluation.evaluator import Evaluator
from robust_train.evaluation.lessons import Lessons, learners, share
from robust_train.evaluation.refusals import check_block
from robust_train.evaluation.rehearsal import rehearse
from robust_train.evaluation.results import Results
from robust_train.evaluation.sampled import sampled
from robust_train.evaluation.settings import describe
from robust_train.evaluation.suite import check_suite
from robust_train.evaluation.walk import walk
from robust_train.perturbations.base import Perturbation

Stage = Literal["validate", "test", "fit"]
CLEAN = "robust/clean/accuracy"


class Robustness(pl.Callback):
    """Judge the module under every regime, on the data set behind the evaluation loader.

    It runs at the last batch of the loop, where averaged weights are in place, so that the
    weights that are judged, selected and saved are the same. The data set, or the part of it that a
    ``SubsetRandomSampler`` draws from, is walked in its own order, whatever the number of processes:
    every sample counts exactly once. A data set without a length, or a loader of another make, is
    judged batch by batch instead, where a sampler's padding cannot be told from samples.

    Regimes that learn, such as universal perturbations, do so each time anew, from the samples of
    the training loader of the trainer or its data module (which is then set up to fit), or else from
    a fifth of those that were to be judged, which then are not.

    Figures are logged as ``robust/clean/accuracy`` and ``robust/<regime>/<metric>`` to whatever
    loggers the trainer has, and are there for ``ModelCheckpoint(monitor=...)``, which needs the same
    ``every_n_epochs``, and for ``EarlyStopping``, which needs as large a ``check_val_every_n_epoch``
    instead. Of several such callbacks the first one that measures logs the clean accuracy. All figures,
    with the outcome of every sample, are in ``results`` (of several loaders, those of the last one that
    was concluded).

    Args:
        regimes: Perturbations by name.
        on: Loops that are measured: ``validate`` (also inside ``fit``), ``test``, and ``fit`` for
            once at the end of it, on the validation data, the first of several loaders.
        every_n_epochs: Inside ``fit``, measure every so many epochs.
        limit: Number of samples, drawn by the seed; by default all, or the share to which the
            trainer limits the loop.
        block: Samples that are searched together.
        seed: Seed of all random draws.
        mean: Means of the normalisation that the data went through, one a channel or one for all; eps
            stays in pixel units.
        std: Standard deviations of that normalisation, likewise.
        logits: Key or position of the logits, where the module returns a dictionary or a tuple.
        keys: Names of inputs and labels, where batches are dictionaries with unusual ones.
        autocast: Judge the module in the trainer's own precision rather than in float32.
        gallery: How many samples to keep the images of.
        draws: Draws of the noise of a stochastic network: its mean over so many is attacked, and its mean
            over as many others is judged, and each of those alone.
        bar: Show a progress bar, where the trainer shows its own.

    Raises:
        ValueError: A regime is none, a loop is unknown, a number means nothing, or of mean and std only one
            is given; at the start, two such callbacks name a regime alike; in the sanity check, the module
            or its batches cannot be judged.

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
        mean: list[float] | float | None = None,
        std: list[float] | float | None = None,
        logits: str | int | None = None,
        keys: tuple[str, str] | None = None,
        autocast: bool = False,
        gallery: int = 8,
        draws: int = 1,
        bar: bool = True,
    ) -> None:
        check_suite(regimes)
        if isinstance(on, str) or not set(on) <= set(get_args(Stage)):
            raise ValueError(f'Robustness: on is {on!r}: give a list of "validate", "test" and "fit".')
        check_normalisation(mean, std)
        counts = {"every_n_epochs": every_n_epochs, "limit": limit, "block": block, "draws": draws}
        for name, number in counts.items():
            check_whole(f"Robustness: {name}", number)
            if number is not None and number < 1:
                raise ValueError(f"Robustness: {name} must be at least 1, not {number}.")
        if gallery < 0:
            raise ValueError(f"Robustness: gallery must be at least 0, not {gallery}.")
        self.regimes, self.on, self.every_n_epochs = dict(regimes), tuple(on), every_n_epochs
        self.limit, self.block, self.seed = limit, block, seed
        self.mean, self.std, self.logits, self.keys = mean, std, logits, keys
        self.autocast, self.gallery, self.draws, self.bar = autocast, gallery, draws, bar
        self.results: Results | None = None
        self._streams: dict[int, Streaming] = {}
        self._told: set[str] = set()

    def setup(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:
        for other in _all(trainer):
            shared = sorted(set(self.regimes) & set(other.regimes))
            if other is not self and shared and set(self.on) & set(other.on):
                raise ValueError(
                    f"Two Robustness callbacks have a regime {shared[0]}, and would log it under one name: "
                    "rename it in one of them."
                )

    def on_validation_epoch_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._start(trainer, module, trainer.val_dataloaders)

    def on_test_epoch_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._start(trainer, module, trainer.test_dataloaders)

    def on_validation_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:  # fmt: skip
        if trainer.sanity_checking and "validate" in self.on and batch_idx == 0:
            self._rehearse(trainer, module, batch)
        if self._due(trainer):
            self._batch(trainer, module, batch, batch_idx, dataloader_idx, "val")

    def on_test_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:  # fmt: skip
        if self._due(trainer):
            self._batch(trainer, module, batch, batch_idx, dataloader_idx, "test")

    def on_validation_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._finish(module, trainer.val_dataloaders)

    def on_test_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._finish(module, trainer.test_dataloaders)

    def on_fit_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if "fit" not in self.on:
            return
        # Lightning has put the module back into training mode: that is nothing to warn of.
        with evaluating(module), validating(trainer) as loaders:
            if not loaders or (walkable(loaders[0]) and not len(loaders[0])):
                rank_zero_warn("Robustness: there is no validation data to measure on: give fit some.")
                return
            figures = self._outside(trainer, module, loaders[0])
        for logger in trainer.loggers:
            logger.log_metrics(figures, step=trainer.global_step)

    def _due(self, trainer: pl.Trainer) -> bool:
        if trainer.testing or trainer.sanity_checking:
            return trainer.testing and "test" in self.on
        in_turn = trainer.state.fn != "fit" or (trainer.current_epoch + 1) % self.every_n_epochs == 0
        return in_turn and "validate" in self.on

    def _batch(
        self, trainer: pl.Trainer, module: pl.LightningModule, batch: Any, number: int, place: int, loop: str
    ) -> None:
        loader = flat(getattr(trainer, f"{loop}_dataloaders"))[place]
        batches = getattr(trainer, f"num_{loop}_batches")[place]
        if place in self._streams:
            self._stream(trainer, self._streams[place], batch)
        elif number + 1 == batches:
            self._log(module, self._measure(trainer, module, loader, batches, place))

    def _rehearse(self, trainer: pl.Trainer, module: pl.LightningModule, batch: Any) -> None:
        """Refuse before the first epoch what would be refused after it."""
        network = self._evaluator(module, trainer, torch.arange(0)).network
        inputs, labels = (part[: self.block] for part in unpack(batch, self.keys))
        inputs = network.pixels(inputs).float()
        with attack_mode(module):
            check_block(network, inputs, labels)
        rehearse(network, self.regimes, inputs, labels, self.draws)

    def _outside(self, trainer: pl.Trainer, module: pl.LightningModule, loader: Any) -> dict[str, float]:
        """Judge what a validation loader gives, where no loop runs over it."""
        if walkable(loader):
            return self._measure(trainer, module, loader, trainer.num_val_batches[0])
        stream = self._streamed(module, trainer)
        for batch in loader:
            self._stream(trainer, stream, transferred(trainer, batch, 0))
        return self._conclude(stream.evaluator, Streaming.SETTINGS)

    def _measure(
        self, trainer: pl.Trainer, module: pl.LightningModule, loader: Any, batches: float, place: int = 0
    ) -> dict[str, float]:
        """Judge the samples of a loader, of which the loop runs over so many batches."""
        dataset = sampled(loader)
        limit, part = self.limit, batches / len(loader)
        if part < 1 and (limit is None or getattr(trainer, "fast_dev_run", False)):
            limit = min(ceil(part * len(dataset)), limit or len(dataset))
        learning = learners(self.regimes.values())
        # The items of a data set may be drawn at random: that must not change the training.
        with untouched(module):
            training = training_samples(trainer, dataset) if learning else None
            held = share(len(dataset), learning) if training is None else 0
            blocks = Blocks(dataset, self.block, limit, self.seed, loader.collate_fn, held)
            evaluator = self._evaluator(module, trainer, blocks.positions()[: self.gallery])
            read = self._reader(evaluator, trainer, place)
            walk(evaluator, blocks, training, read, self.bar and trainer.progress_bar_callback is not None)
        classes = class_names(getattr(trainer, "datamodule", None))
        return self._conclude(evaluator, describe(blocks, evaluator.network, self.autocast), classes)

    def _reader(
        self, evaluator: Evaluator, trainer: pl.Trainer, place: int = 0
    ) -> Callable[[Any], tuple[Tensor, Tensor]]:
        """Makes images in pixel units and labels of a batch of a loader."""

        def read(batch: Any) -> tuple[Tensor, Tensor]:
            inputs, labels = unpack(transferred(trainer, batch, place), self.keys)
            return evaluator.network.pixels(inputs).float(), labels

        return read

    def _start(self, trainer: pl.Trainer, module: pl.LightningModule, loaders: Any) -> None:
        """Every process streams or none does: they meet at the end, also those without a batch."""
        listed = flat(loaders) if self._due(trainer) else []
        self._streams = {
            place: self._streamed(module, trainer)
            for place, loader in enumerate(listed)
            if not walkable(loader)
        }

    def _streamed(self, module: pl.LightningModule, trainer: pl.Trainer) -> Streaming:
        evaluator = self._evaluator(module, trainer, torch.arange(self.gallery))
        return Streaming(evaluator, self.keys, self.limit)

    def _stream(self, trainer: pl.Trainer, stream: Streaming, batch: Any) -> None:
        if not stream.seen and learners(self.regimes.values()):
            with untouched(trainer.lightning_module):
                blocks = Blocks(training_samples(trainer, None) or (), self.block, seed=self.seed)
                read = self._reader(stream.evaluator, trainer)
                stream.evaluator.learn(Lessons.of(blocks, blocks.dataset, read))
        stream.add(batch)

    def _finish(self, module: pl.LightningModule, loaders: Any) -> None:
        several = len(flat(loaders)) > 1
        for place, stream in self._streams.items():
            figures = self._conclude(stream.evaluator, Streaming.SETTINGS)
            suffix = f"/dataloader_idx_{place}" if several else ""  # as Lightning has it
            self._log(module, figures, suffix)
        self._streams = {}

    def _evaluator(self, module: pl.LightningModule, trainer: pl.Trainer, gallery: Tensor) -> Evaluator:
        precision = trainer.precision_plugin.forward_context if self.autocast else nullcontext
        deployed = Deployed(module, mean=self.mean, std=self.std, logits=self.logits, precision=precision)
        return Evaluator(deployed, self.regimes, seed=self.seed, gallery=gallery, draws=self.draws)

    def _conclude(
        self, evaluator: Evaluator, settings: dict[str, Any], classes: tuple[str, ...] = ()
    ) -> dict[str, float]:
        """Keep the results; the figures by the names under which they are logged."""
        self.results = evaluator.results(settings, classes)
        for warning in self.results.warnings:
            if warning not in self._told:
                rank_zero_warn(f"Robustness: {warning}")
            self._told.add(warning)
        figures = {CLEAN: self.results.clean_accuracy.value}
        for name, regime in self.results.regimes.items():
            figures |= {f"robust/{name}/{metric}": e.value for metric, e in regime.metrics.items()}
        return figures

    def _log(self, module: pl.LightningModule, figures: dict[str, float], suffix: str = "") -> None:
        first = next(one for one in _all(module.trainer) if one._due(module.trainer))
        figures = {name + suffix: value for name, value in figures.items() if name != CLEAN or first is self}
        # Every process holds the same figures of all samples: the largest of them is any of them.
        module.log_dict(
            figures,
            on_step=False,
            on_epoch=True,
            reduce_fx="max",
            sync_dist=True,
            add_dataloader_idx=not suffix,
        )


def _all(trainer: pl.Trainer) -> list[Robustness]:
    """The callbacks of this kind that a trainer has."""
    callbacks: list[Any] = trainer.callbacks  # type: ignore[attr-defined]
    return [one for one in callbacks if isinstance(one, Robustness)]
