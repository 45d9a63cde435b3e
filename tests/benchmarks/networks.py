"""The two networks of the benchmark: one undefended, one adversarially trained, on Fashion-MNIST."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytorch_lightning as pl
import torch
from safetensors.torch import save_file
from torch import nn

from robust_train.checkpoint import load_weights
from robust_train.classifier import RobustClassifier
from robust_train.data.base import ImageData
from robust_train.defenses import AdversarialTraining, Defense, Ramp
from robust_train.networks import SmallCNN
from robust_train.perturbations import PGD

CACHE = Path("runs/benchmarks")


@dataclass(frozen=True)
class Training:
    """How a network of the benchmark is trained."""

    defenses: tuple[Defense, ...]
    epochs: int
    learning_rate: float = 2e-3


# The budget grows at first, from training on the clean images.
TRAININGS = {
    "standard": Training((), epochs=2),
    "adversarial": Training((AdversarialTraining(PGD(steps=4), eps=Ramp(0.0, 0.1, until=0.4)),), epochs=2),
}
NAMES = tuple(TRAININGS)


def network(name: str, weights: Path | None, data: ImageData) -> nn.Module:
    """The network of that name, in evaluation mode.

    Its weights are read from a file if one is given, else from an earlier call's cache, else
    trained (minutes) and cached.
    """
    cached = CACHE / f"{name}.safetensors"
    if weights is None and not cached.exists():
        cached.parent.mkdir(parents=True, exist_ok=True)
        save_file(train(TRAININGS[name], data).state_dict(), cached)
    found = SmallCNN()
    load_weights(found, weights or cached)
    return found.eval()


def train(training: Training, data: ImageData, seed: int = 0) -> nn.Module:
    """A ``SmallCNN``, trained from that seed."""
    pl.seed_everything(seed, verbose=False)
    model = RobustClassifier(
        SmallCNN(),
        list(training.defenses),
        optimizer=partial(torch.optim.AdamW, lr=training.learning_rate),
        scheduler=partial(_cosine, steps=training.epochs * len(data.train_dataloader())),
        interval="step",
        seed=seed,
    )
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=training.epochs,
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
    )
    trainer.fit(model, data)
    return model.network


def _cosine(optimizer: torch.optim.Optimizer, steps: int) -> torch.optim.lr_scheduler.LRScheduler:
    return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
