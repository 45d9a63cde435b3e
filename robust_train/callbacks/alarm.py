"""What follows the figures of a training and warns of where it goes."""

from abc import ABC, abstractmethod
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.utilities import rank_zero_warn
from torch import Tensor


class Alarm(pl.Callback, ABC):
    """Read logged figures at the end of each epoch that measured them, and warn once.

    Args:
        names: Under which the figures are logged; the first one is measured by ``Robustness``.
    """

    def __init__(self, *names: str) -> None:
        self.names = names
        self.history: list[dict[str, float]] = []
        self._last: Tensor | None = None
        self._told = False

    @property
    def state_key(self) -> str:
        return f"{type(self).__name__}[{','.join(self.names)}]"

    @abstractmethod
    def sentence(self) -> str | None:
        """What there is to warn of, if anything, after the last entry of ``history``."""

    def on_fit_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._last = None

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        figures = trainer.callback_metrics
        if not all(name in figures for name in self.names) or figures[self.names[0]] is self._last:
            return  # what was measured in an earlier epoch stays among the figures
        self._last = figures[self.names[0]]
        self.history.append(
            {"epoch": trainer.current_epoch, **{name: float(figures[name]) for name in self.names}}
        )
        sentence = None if self._told else self.sentence()
        if sentence:
            self._told = True
            rank_zero_warn(f"{type(self).__name__}: {sentence}")

    def on_fit_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if not self.history and not trainer.fast_dev_run:  # type: ignore[attr-defined]
            missing = [name for name in self.names if name not in trainer.callback_metrics] or self.names
            rank_zero_warn(
                f"{type(self).__name__}: no epoch logged {' and '.join(missing)}: what begins with robust/ "
                "comes from Robustness with that regime, on validate; log anything else in the module."
            )

    def best(self, name: str) -> dict[str, float]:
        """The entry of the largest figure, the first of them."""
        return max(self.history, key=lambda entry: entry[name])

    def state_dict(self) -> dict[str, Any]:
        return {"history": self.history, "told": self._told}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.history, self._told = list(state["history"]), state["told"]


def figure(regime: str) -> str:
    """The name under which ``Robustness`` logs the robust accuracy of a regime."""
    return f"robust/{regime}/robust_accuracy"


def where(entry: dict[str, float]) -> str:
    """The epoch of an entry, as Lightning counts."""
    return f"epoch {entry['epoch']:g} (counted from 0)"


def keeping(name: str) -> str:
    """What keeps the weights of the best epoch."""
    return f'ModelCheckpoint(monitor="{name}", mode="max")'
