"""The Lightning module: a network, the defenses that wrap it, and an optimizer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities import rank_zero_warn
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from robust_train.attacking.modes import evaluating
from robust_train.data.replayed import Replayed
from robust_train.defenses.base import Defense, Step
from robust_train.defenses.detecting import Detecting
from robust_train.defenses.precision import wide, widened
from robust_train.defenses.recording import recorded
from robust_train.defenses.stacking import check_stack
from robust_train.randomness import Streams
from robust_train.types import Batches

__all__ = ["RobustClassifier"]


class RobustClassifier(pl.LightningModule):
    """Train a network under any stack of defenses. It is itself a network: images to logits.

    How robust it is, ``Robustness`` measures: no evaluation lives here beyond the loss.

    Args:
        network: Images in [0, 1] to logits; normalisation is its own first layer.
        defenses: The defenses, in the order in which they act; by default none.
        optimizer: Makes the optimizer from the parameters; by default AdamW.
        scheduler: Makes the scheduler from the optimizer.
        interval: Whether the scheduler steps each ``epoch`` or each optimizer ``step``.
        seed: Seed of the defenses' own draws.

    Raises:
        ValueError: The defenses are no list of such, or do not stack, or not in this order.

    Example:
        >>> from robust_train.defenses import AdversarialTraining
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> model = RobustClassifier(network, [AdversarialTraining()])
        >>> model(torch.rand(2, 1, 8, 8)).shape
        torch.Size([2, 10])
    """

    def __init__(
        self,
        network: nn.Module,
        defenses: list[Defense] | None = None,
        optimizer: OptimizerCallable | None = None,  # a default class would lend others its own arguments
        scheduler: LRSchedulerCallable | None = None,
        interval: Literal["epoch", "step"] = "epoch",
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.defenses = _listed(defenses)
        for defense in self.defenses:
            network = defense.wrap(network)
        check_stack(network, self.defenses)
        self.network = network
        self.optimizer, self.scheduler, self.interval = optimizer or torch.optim.AdamW, scheduler, interval
        self.seed = seed
        self._current: Any = None  # the step between its forward and its backward pass

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.network(inputs)
        return logits

    def on_fit_start(self) -> None:
        """Refuse a schedule that ends too early, or a training without an end where a defense needs one.

        The last calibration is forgotten: a threshold of another training would flag what this one is
        judged and selected by. One that is resumed keeps all that it had.
        """
        endless = [type(defense).__name__ for defense in self.defenses if defense.needs_end]
        if endless and not 0 < self.trainer.estimated_stepping_batches < float("inf"):
            raise ValueError(
                f"{endless[0]} takes turns by the share of the training that is done, and this one has no "
                "end: give the trainer max_epochs or, where the data have no length, max_steps."
            )
        self._check_schedule()
        for module in self.network.modules():
            if isinstance(module, Detecting) and not self.trainer.ckpt_path:
                module.forget()

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        with self._whole():
            step = self._forward(self._perturbed(self._step(*_pair(batch), batch_idx)))
            self._current, mean = step, self._losses(step).mean()
        accuracy = (step.logits.detach().argmax(1) == step.labels).float().mean()
        figures = {"train/loss": mean, "train/accuracy": accuracy}
        self.log_dict(figures, on_step=False, on_epoch=True, prog_bar=True, sync_dist=True)
        return mean

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        self._log_loss("val/loss", *_pair(batch))

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        self._log_loss("test/loss", *_pair(batch))

    def backward(self, loss: Tensor, *args: Any, **kwargs: Any) -> None:
        with self._whole():
            super().backward(loss, *args, **kwargs)

    def on_after_backward(self) -> None:
        with self._whole():
            for defense in self.defenses:
                defense.after_backward(self.network, self._current)
        self._current = None  # a graph that stayed would forbid to copy the module

    def on_train_start(self) -> None:
        climbing = [type(defense).__name__ for defense in self.defenses if defense.needs_replays]
        if climbing and self._replays() < 2:
            rank_zero_warn(
                f"{climbing[0]} climbs on each batch while it comes again and again, and here it comes once: "
                "give the data replays, such as Digits(replays=4)."
            )
        self._begin()

    def on_train_end(self) -> None:
        self._begin()

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        with self._whole():  # an interrupt may come between the passes, too
            super().optimizer_step(*args, **kwargs)
        for defense in self.defenses:
            defense.after_step(self.network)

    def calibrate(self, batches: Batches, held_out: Batches) -> None:
        """Let defenses measure what they decide by, such as thresholds, when the training is done.

        The command line does so at the end of ``fit``.

        Args:
            batches: ``(N, C, H, W)`` training images and ``(N,)`` labels, to be walked as often as needed.
            held_out: Images and labels in the same form, that the network was not trained on.
        """
        parts = _Placed(batches, self.device), _Placed(held_out, self.device)
        with evaluating(self.network), torch.no_grad():
            for defense in self.defenses:
                defense.calibrate(self.network, *parts)

    def configure_optimizers(self) -> Any:
        optimizer = self.optimizer(self.parameters())
        if self.scheduler is None:
            return optimizer
        scheduler = {"scheduler": self.scheduler(optimizer), "interval": self.interval}
        return {"optimizer": optimizer, "lr_scheduler": scheduler}

    def _check_schedule(self) -> None:
        steps = self.trainer.estimated_stepping_batches
        for schedule in self.trainer.lr_scheduler_configs if self.interval == "step" else ():
            total = getattr(schedule.scheduler, "total_steps", steps)
            if total < steps < float("inf"):
                raise ValueError(
                    f"The schedule ends after {total} steps, the training after {steps}: give the scheduler "
                    f"total_steps={steps}."
                )

    def _step(self, inputs: Tensor, labels: Tensor, batch_idx: int) -> Step:
        # Streams are addressed by place in the global batch: no two processes draw the same.
        first = self.global_rank * len(inputs)
        rng = Streams.of(self.seed, range(first, first + len(inputs)))
        for word in self._moment(batch_idx):
            rng = rng.fold(word)
        steps = self.trainer.estimated_stepping_batches  # infinite, or -1, where nobody set an end
        progress = min(1.0, self.global_step / steps) if steps > 0 else 0.0
        return Step(inputs, labels, inputs, labels, progress, rng, objective=self._objective)

    def _moment(self, batch_idx: int) -> tuple[int, int]:
        """What tells steps apart; replays are one where a perturbation goes on from each to the next."""
        if any(defense.reads_input_gradient for defense in self.defenses) and self._replays() > 1:
            return self.current_epoch, batch_idx // self._replays()
        return self.global_step, batch_idx

    def _replays(self) -> int:
        """How often each batch of the training comes in a row."""
        batches = getattr(self.trainer.train_dataloader, "batch_sampler", None)
        return batches.replays if isinstance(batches, Replayed) else 1

    def _perturbed(self, step: Step) -> Step:
        """The step as the defenses want it."""
        with wide(step.inputs.device.type):
            for defense in sorted(self.defenses, key=lambda one: one.moves_weights):
                self._current = step = defense.batch(self.network, step)
        return step

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """A step that does not come to its end leaves no weights moved."""
        try:
            yield
        except BaseException:
            if self._current is not None:
                self._current.put_back(self.network)
            self._current = None
            raise

    def _begin(self) -> None:
        for defense in self.defenses:
            defense.begin(self.network)

    def _objective(self, step: Step) -> Tensor:
        return self._losses(self._forward(step))

    def _forward(self, step: Step) -> Step:
        """The one forward pass, and what is watched in it."""
        kinds = {kind for defense in self.defenses for kind in defense.watch}
        differentiated = kinds or any(defense.reads_input_gradient for defense in self.defenses)
        inputs = step.inputs.detach().requires_grad_() if differentiated else step.inputs
        with recorded(self.network, tuple(kinds)) as activations:
            logits = self(inputs)
        if kinds and not activations:
            raise RuntimeError("No activation was seen: train the network as it is, not compiled.")
        return replace(step, inputs=inputs, logits=widened(logits), activations=activations)

    def _losses(self, step: Step) -> Tensor:
        """``(N,)``: the cross-entropy, or what replaces it, and what each defense adds."""
        loss = cross_entropy(step.logits, step.targets, reduction="none")
        for defense in sorted(self.defenses, key=lambda one: not one.replaces_loss):
            loss = defense.loss(self.network, step.seen_by(defense), loss)
        return loss

    def _log_loss(self, name: str, inputs: Tensor, labels: Tensor) -> None:
        self.log(name, cross_entropy(self(inputs), labels), batch_size=len(inputs), sync_dist=True)


def _pair(batch: Any) -> tuple[Tensor, Tensor]:
    """Inputs and labels, which is all that a batch may hold."""
    parts = list(batch) if isinstance(batch, (tuple, list)) else []
    if len(parts) != 2 or not all(isinstance(part, Tensor) for part in parts):
        kinds = ", ".join(type(part).__name__ for part in parts)
        raise ValueError(
            f"A batch is {f'({kinds})' if parts else type(batch).__name__}, not two tensors (inputs, "
            "labels): let the data set, or the collate_fn of the loader, give just these."
        )
    return parts[0], parts[1]


def _listed(defenses: Any) -> list[Defense]:
    """The defenses that were given, if they are some."""
    if isinstance(defenses, Defense):
        raise ValueError(f"Defenses come in a list: give [{type(defenses).__name__}(...)].")
    listed = list(defenses or [])
    for one in listed:
        if isinstance(one, type):
            raise ValueError(f"Among the defenses is the class {one.__name__}: give an instance of it.")
        if not isinstance(one, Defense):
            raise ValueError(f"Among the defenses is {one!r}: give only defenses.")
    return listed


@dataclass(frozen=True)
class _Placed:
    """Batches on a device, however often they are walked."""

    batches: Batches
    device: torch.device

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for inputs, labels in self.batches:
            yield inputs.to(self.device), labels.to(self.device)
