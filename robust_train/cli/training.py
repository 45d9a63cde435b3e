"""``fit``, ``validate`` and ``test``: Lightning's command line, with the measurement at its end."""

import shlex
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning import Callback, Trainer
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI

from robust_train import checkpoint
from robust_train.callbacks.robustness import Robustness
from robust_train.classifier import RobustClassifier
from robust_train.cli.finishing import constants, to_calibrate_on
from robust_train.cli.folder import claimed, fresh, run_name
from robust_train.cli.loggers import place_loggers, with_csv
from robust_train.cli.parser import Parser, said
from robust_train.cli.quiet import quiet
from robust_train.cli.starting import (
    check_fit,
    check_schedule,
    check_stages,
    check_start,
    load_start,
    unfinished,
)
from robust_train.cli.stopwatch import Stopwatch
from robust_train.cli.words import Words, prepare
from robust_train.cli.writing import effective_recipe, show, training_history, write_results
from robust_train.data.base import ImageData
from robust_train.errors import UsageError, UserError
from robust_train.evaluation.results import Results
from robust_train.report.card import write_card


def train(command: str, argv: list[str]) -> None:
    """Run ``fit``, ``validate`` or ``test``.

    Args:
        command: Which of them.
        argv: The words after it.

    Raises:
        UserError: A recipe or an option is wrong.
    """
    quiet()
    words = prepare(argv)
    TrainingCLI(words, command, ["robust-train", command, *argv])


class TrainingCLI(LightningCLI):
    """Lightning's command line around ``RobustClassifier``, ``ImageData`` and ``Robustness``."""

    def __init__(self, words: Words, command: str, argv: list[str]) -> None:
        self.words, self.argv = words, argv
        super().__init__(
            RobustClassifier,
            ImageData,
            subclass_mode_data=True,
            save_config_callback=None,
            seed_everything_default=0,
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,
            parser_class=Parser,
            parser_kwargs={"allow_abbrev": False},
            args=[command, *words.parsed],
        )

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        return {name: skip for name, skip in LightningCLI.subcommands().items() if name != "predict"}

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_lightning_class_args(Robustness, "robustness")
        parser.set_defaults({"robustness.on": ["test"]})
        parser.add_argument(
            "--out", type=str | None, help="Folder to write; by default a new one under runs/."
        )
        parser.add_argument(
            "--from", type=str | None, help="Checkpoint folder or weights file whose weights to start from."
        )

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        # Lightning warns of arguments beside those of the process, which ours are, made ready.
        self.config = parser.parse_args(args)

    def _parse_ckpt_path(self) -> None:
        """What a checkpoint says about hyper-parameters is data; the recipe is what counts."""

    def before_instantiate_classes(self) -> None:
        config = self.config[self.config.subcommand]
        config.weights_only, config.ckpt_path = True, config.ckpt_path or None
        check_start(config, needed=self.config.subcommand != "fit")
        check_schedule(config)
        if self.config.subcommand == "fit":
            check_stages(config)
        else:
            config.verbose = False
            config.robustness.on = [self.config.subcommand]
        self.recipe = effective_recipe(self._parser(self.config.subcommand), config)
        self.resumed = unfinished(config.ckpt_path, config.out)
        self.out = self.resumed or Path(config.out or fresh(run_name([*self.words.configs, "run"][0])))
        place_loggers(config.trainer.logger, self.out)

    def instantiate_classes(self) -> None:
        try:
            super().instantiate_classes()
        except MisconfigurationException as error:  # of Lightning, in its own words
            raise UsageError(str(error)) from error
        except ValueError as error:
            sentence = said(str(error))
            if sentence is None:
                raise
            raise UsageError(sentence) from error

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        given, self.stopwatch = self._get(self.config_init, "trainer"), Stopwatch()
        if self.subcommand == "fit":
            callbacks = [*(given["callbacks"] or []), self.stopwatch]
            if self._rehearses:  # in which Lightning writes last.ckpt all the same
                callbacks = [c for c in callbacks if not isinstance(c, ModelCheckpoint)]
            kwargs |= {"logger": with_csv(given["logger"], self.out), "callbacks": callbacks}
            trainer = super().instantiate_trainer(**kwargs)
        else:
            # What a recipe watches in the course of a training would mix with what is asked for.
            watched = [c for c in given["callbacks"] or [] if not isinstance(c, Robustness)]
            callbacks = [*watched, self.stopwatch]  # which the checkpoint of a training holds
            kwargs |= {"logger": given["logger"] or False, "callbacks": callbacks}
            trainer = super().instantiate_trainer(**kwargs)
        for callback in trainer.checkpoint_callbacks:
            if isinstance(callback, ModelCheckpoint) and callback.dirpath is None:
                callback.dirpath = str(self.out.absolute())
        return trainer

    def after_instantiate_classes(self) -> None:
        load_start(self.model.network, self.config[self.subcommand]["from"])

    def _run_subcommand(self, subcommand: str) -> None:
        writes = subcommand == "fit" and self.trainer.is_global_zero and not self._rehearses
        with claimed(self.out, self.resumed is not None) if writes else nullcontext():
            try:
                super()._run_subcommand(subcommand)
            except SystemExit as exit:
                raise KeyboardInterrupt from exit  # so Lightning ends after an interrupt

    @property
    def _rehearses(self) -> bool:
        """A network that saw a batch or two is no checkpoint."""
        return bool(self._get(self.config_init, "trainer")["fast_dev_run"])

    def before_fit(self) -> None:
        self.constants = constants(self.model.network)
        if self.trainer.is_global_zero:
            callbacks: list[Callback] = vars(self.trainer)["callbacks"]
            suites = [one for one in callbacks if isinstance(one, Robustness)]
            check_fit(self.model.network, self.datamodule, suites)

    def after_fit(self) -> None:
        """Measure the best weights, and write the folder."""
        history = training_history(self.out)  # before the test adds figures of its own
        best = getattr(self.trainer.checkpoint_callback, "best_model_path", "")
        if best:
            # Not by the trainer: it would restore what the average was made of, to train on.
            checkpoint.load_weights(self.model, best)
        for name, value in self.constants.items():
            self.model.network.get_buffer(name).copy_(value)
        self._calibrate()
        self.trainer.test(self.model, self.datamodule, verbose=False)
        if self._rehearses:
            self._show()
            if self.trainer.is_global_zero:
                print("With fast_dev_run, nothing is written.")
        elif self.trainer.is_global_zero:
            checkpoint.save(self.out, self.model.network, self.recipe)
            text = (self.out / checkpoint.RECIPE).read_text(encoding="utf-8")
            write_results(self._results(), self.out, text, history, self.stopwatch.seconds)
            write_card(self._results(), self.out / "README.md", self.out.name, text, _again(self.argv))
            show(self._results())
            print(f"Wrote {self.out}")

    def _calibrate(self) -> None:
        """Let defenses measure what they decide by, on training and on validation images."""
        self.model.to(self.trainer.strategy.root_device)
        self.model.calibrate(*to_calibrate_on(self.trainer, self.datamodule))

    def after_validate(self) -> None:
        self._show()

    def after_test(self) -> None:
        self._show()

    def _show(self) -> None:
        if self.trainer.is_global_zero:
            show(self._results())

    def _results(self) -> Results:
        results: Results | None = self._get(self.config_init, "robustness").results
        if results is None:
            raise UserError("This process measured nothing: use a strategy that keeps it, such as ddp.")
        return results


def _again(argv: list[str]) -> str:
    """The command that trains again: without the folder to write, which is taken by then.

    Example:
        >>> _again(["robust-train", "fit", "--out", "a", "--config=b.yaml", "--out=c"])
        'robust-train fit --config=b.yaml'
    """
    after = ["", *argv]
    kept = (word for before, word in zip(after, argv, strict=False) if "--out" not in (before, word))
    return shlex.join(word for word in kept if not word.startswith("--out="))
