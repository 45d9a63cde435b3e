"""A project under ``strategy="ddp"``, with and without the callback: to be run, not collected."""

import logging
import os
import signal
import socket
import sys
import tempfile
import warnings

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import nn
from torch.multiprocessing import start_processes
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, IterableDataset, Subset, SubsetRandomSampler, TensorDataset

from robust_train import PGD, DeepFool, Robustness, evaluate

LIMIT = 300  # seconds, after which a process that waits for another ends itself
SUITE = {"pgd": PGD(eps=0.1, steps=5), "deepfool": DeepFool(steps=1, refinements=0)}  # which often fails
MONITOR = "robust/pgd/robust_accuracy"


class Project(pl.LightningModule):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.network = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(16), nn.Dropout(), nn.Linear(16, 3))

    def forward(self, x):
        return self.network(x)

    def training_step(self, batch, batch_idx):
        return cross_entropy(self(batch[0]), batch[1])

    def validation_step(self, batch, batch_idx):
        self(batch[0])

    def test_step(self, batch, batch_idx):
        self(batch[0])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


class FirstRankOnly(IterableDataset):
    """A stream whose shards are as uneven as can be."""

    def __init__(self, data):
        self.data = data

    def __iter__(self):
        return iter(self.data if os.environ["RANK"] == "0" else [])


def trainer(callbacks, folder):
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
    return pl.Trainer(
        strategy="ddp", accelerator="cpu", devices=int(os.environ["WORLD_SIZE"]), max_epochs=2,
        callbacks=callbacks, enable_checkpointing=bool(callbacks), default_root_dir=folder, **quiet,
    )  # fmt: skip


def assert_same(results, expected):
    assert results.clean_accuracy == expected.clean_accuracy
    for name, regime in expected.regimes.items():
        found = results.regimes[name]
        assert found.metrics == regime.metrics
        assert torch.equal(found.outcome.index, regime.outcome.index)
        assert torch.equal(found.outcome.perturbed_logits, regime.outcome.perturbed_logits)


def check(folder):
    images = torch.rand(21, 1, 4, 4)
    data = TensorDataset(images, images.flatten(1)[:, :3].argmax(1))
    loader = DataLoader(data, batch_size=4)
    alone = {block: evaluate(Project(), data, SUITE, block=block, progress=False) for block in (4, 128)}

    for block, expected in alone.items():
        robustness = Robustness(SUITE, block=block)
        [logged] = trainer([robustness], folder).test(Project(), loader, verbose=False)
        assert robustness.results.clean_accuracy.n == 21
        assert_same(robustness.results, expected)
        for name, regime in expected.regimes.items():  # NaN and inf among them
            figures = {f"robust/{name}/{metric}": e.value for metric, e in regime.metrics.items()}
            torch.testing.assert_close({key: logged[key] for key in figures}, figures, equal_nan=True)

    rows = [19, 2, 3, 5, 7, 11, 13]
    robustness, part = Robustness(SUITE), DataLoader(data, sampler=SubsetRandomSampler(rows))
    trainer([robustness], folder).test(Project(), part, verbose=False)
    assert_same(robustness.results, evaluate(Project(), Subset(data, sorted(rows)), SUITE, progress=False))

    robustness = Robustness(SUITE)
    trainer([robustness], folder).test(
        Project(), DataLoader(FirstRankOnly(data), batch_size=4), verbose=False
    )
    assert robustness.results.clean_accuracy == alone[4].clean_accuracy

    saving = ModelCheckpoint(f"{folder}/saved", monitor=MONITOR, mode="max")
    robustness = Robustness(SUITE, on=["validate", "fit"])
    weights = []
    for callbacks in ([], [robustness, saving]):
        module = Project()
        torch.manual_seed(int(os.environ["RANK"]))
        trainer(callbacks, folder).fit(module, loader, loader)
        weights.append(module.state_dict())
    torch.testing.assert_close(*weights, rtol=0, atol=0)
    assert saving.best_model_score is not None
    assert_same(robustness.results, evaluate(module, data, SUITE, progress=False))


def rank(number, world, port, folder):
    signal.alarm(LIMIT)
    torch.set_num_threads(1)
    os.environ |= {"RANK": str(number), "LOCAL_RANK": str(number), "WORLD_SIZE": str(world)}
    os.environ |= {"LOCAL_WORLD_SIZE": str(world), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    os.environ |= {"TORCHELASTIC_RUN_ID": "a run", "GROUP_RANK": "0"}
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    warnings.simplefilter("error")  # also what Lightning says of figures that it thinks are not synchronised
    for known in (
        "LeafSpec",
        "many workers",
        "number of training batches",
        "DistributedSampler",
        "GPU avail",
    ):
        warnings.filterwarnings("ignore", f".*{known}")
    torch.manual_seed(0)
    check(folder)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        world = int(sys.argv[1])
        start_processes(rank, (world, port, folder), nprocs=world, start_method="fork")
