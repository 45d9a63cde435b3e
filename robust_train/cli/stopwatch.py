"""How long a training takes, without what is measured meanwhile."""

from time import perf_counter
from typing import Any

import pytorch_lightning as pl


class Stopwatch(pl.Callback):
    """Seconds of the training steps of ``fit``, which stand still during validation.

    A resumed run goes on with those of the run before.

    Example:
        >>> watch = Stopwatch()
        >>> trainer = pl.Trainer(callbacks=[watch], logger=False, enable_checkpointing=False)
        >>> watch.seconds
        0.0
    """

    def __init__(self) -> None:
        self._before = 0.0
        self._since: float | None = None

    @property
    def seconds(self) -> float:
        """Until now, where it runs."""
        return self._before + (0.0 if self._since is None else perf_counter() - self._since)

    def on_train_start(self, *args: Any) -> None:
        self._since = perf_counter()

    def on_train_end(self, *args: Any) -> None:
        self._pause()

    def on_validation_start(self, *args: Any) -> None:
        self._pause()

    def on_validation_end(self, trainer: pl.Trainer, *args: Any) -> None:
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self._since = perf_counter()

    def state_dict(self) -> dict[str, Any]:
        return {"seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._before = state_dict["seconds"]

    def _pause(self) -> None:
        self._before, self._since = self.seconds, None
