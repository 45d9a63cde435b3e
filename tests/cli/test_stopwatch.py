"""Seconds of the training alone."""

import json
from time import sleep

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, TensorDataset

from robust_train import RobustClassifier
from robust_train.cli.stopwatch import Stopwatch


class Slow(pl.Callback):
    def on_train_batch_start(self, *args):
        sleep(0.02)

    def on_validation_batch_start(self, *args):
        sleep(0.2)


def test_it_counts_training_and_not_validation():
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2))
    loader = DataLoader(TensorDataset(torch.rand(8, 1, 2, 2), torch.zeros(8, dtype=torch.long)), batch_size=2)
    watch, silent = (
        Stopwatch(),
        dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar"), False),
    )
    trainer = pl.Trainer(
        max_epochs=2, accelerator="cpu", callbacks=[Slow(), watch], enable_model_summary=False, **silent
    )
    trainer.fit(RobustClassifier(network, optimizer=lambda p: torch.optim.SGD(p, lr=0.1)), loader, loader)
    assert 8 * 0.02 < watch.seconds < 8 * 0.2
    again = Stopwatch()
    again.load_state_dict(watch.state_dict())
    assert again.seconds == watch.seconds


def test_what_is_saved_while_it_runs_tells_of_the_time_until_then():
    watch = Stopwatch()
    watch.on_train_start()
    sleep(0.02)
    first = watch.state_dict()["seconds"]
    assert 0.02 <= first <= watch.seconds < 1.0
    watch.on_train_end()
    assert watch.state_dict() == watch.state_dict()
    again = Stopwatch()
    again.load_state_dict({"seconds": first})
    again.on_train_start()
    again.on_train_end()
    assert first < again.seconds < first + 1.0


def test_a_run_records_how_long_it_trained(trained):
    assert json.loads((trained / "results.json").read_text())["timing"]["training"] > 0
