"""Batches that come several times in a row, alone and on two processes."""

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.overrides.distributed import DistributedSampler
from torch.utils.data import RandomSampler

from robust_train.data.replayed import Replayed
from tests.data.test_base import Numbered, positions


def batches(loader):
    return [[round(255 * float(x)) for x in images.flatten()] for images, _ in loader]


def test_each_batch_comes_so_often_in_the_order_of_a_training_without_replays():
    orders = []
    for replays in (1, 3):
        torch.manual_seed(5)
        loader = Numbered(batch_size=50, replays=replays).train_dataloader()
        orders.append((batches(loader), batches(loader)))
        assert len(loader) == 4 * replays
    (once, anew), (thrice, again) = orders
    assert thrice == [batch for batch in once for _ in range(3)]
    assert again == [batch for batch in anew for _ in range(3)]
    assert once != anew


def test_the_parts_that_are_judged_are_not_replayed():
    data = Numbered(replays=3)
    assert len(positions(data.val_dataloader())) == 20
    assert len(positions(data.test_dataloader())) == 200


def test_a_lone_last_image_is_dropped_in_every_replay():
    assert len(positions(Numbered(200, batch_size=179, replays=2).train_dataloader())) == 2 * 179


@pytest.mark.parametrize("replays", [0, -1])
def test_no_batches_at_all_are_refused(replays):
    with pytest.raises(ValueError, match=r"^replays must be at least 1, which is no replay, not"):
        Numbered(replays=replays)


class Seen(pl.LightningModule):
    """What comes to a process, batch by batch."""

    def __init__(self):
        super().__init__()
        self.weight, self.batches = torch.nn.Parameter(torch.zeros(())), []

    def training_step(self, batch):
        self.batches.append([round(255 * float(x)) for x in batch[0].flatten()])
        return self.weight * batch[0].mean()

    def validation_step(self, batch):
        """Nothing to judge."""

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def test_lightning_shares_them_out_and_shuffles_each_epoch(monkeypatch):
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    quiet |= {"enable_model_summary": False}
    # The second of two processes, as far as samplers know.
    connector = "pytorch_lightning.trainer.connectors.accelerator_connector._AcceleratorConnector"
    monkeypatch.setattr(f"{connector}.is_distributed", True)
    monkeypatch.setattr(pl.Trainer, "distributed_sampler_kwargs", {"num_replicas": 2, "rank": 1})
    trainer = pl.Trainer(max_epochs=2, accelerator="cpu", num_sanity_val_steps=0, **quiet)
    module, data = Seen(), Numbered(batch_size=30, replays=2)
    trainer.fit(module, data)
    first, second = module.batches[:6], module.batches[6:]
    for batches in (first, second):
        assert batches[::2] == batches[1::2]
        assert len({x for batch in batches for x in batch}) == 90  # half of the training part
    assert first != second
    sampler = trainer.train_dataloader.batch_sampler
    assert isinstance(sampler, Replayed)
    assert isinstance(sampler.sampler, DistributedSampler)
    assert not isinstance(sampler.sampler, RandomSampler)
