from types import SimpleNamespace

import pytest
import pytorch_lightning as pl
import torch

from robust_train.data import ImageData
from robust_train.data.tensor_images import TensorImages


class Numbered(ImageData):
    """Images whose pixel is their position; training and test part of a given length."""

    classes = ("even", "odd")
    shape = (1, 1, 1)

    def __init__(self, length=200, **options):
        super().__init__(**options)
        self.length = length

    def read(self, train):
        pixels = torch.arange(self.length, dtype=torch.uint8)[:, None, None, None]
        return TensorImages(pixels, torch.arange(self.length) % 2)


def positions(loader):
    return [round(255 * float(x)) for images, _ in loader for x in images.flatten()]


def test_validation_comes_out_of_the_training_part():
    data = Numbered(validation=0.25)
    train, validation = positions(data.train_dataloader()), positions(data.val_dataloader())
    assert (len(train), len(validation)) == (150, 50)
    assert sorted(train + validation) == list(range(200))
    assert sorted(y for _, y in data.validation_set) == [0] * 25 + [1] * 25
    assert data.num_classes == 2


def test_parts_that_are_judged_keep_their_order():
    data = Numbered()
    assert positions(data.test_dataloader()) == list(range(200))
    assert positions(data.val_dataloader()) == sorted(positions(data.val_dataloader()))


def test_shuffling_follows_the_global_seed():
    data, epochs = Numbered(), []
    for seed in (1, 1, 2):
        pl.seed_everything(seed, verbose=False)
        loader = data.train_dataloader()
        epochs.append((positions(loader), positions(loader)))
    assert epochs[0] == epochs[1]
    assert epochs[0] != epochs[2]
    assert epochs[0][0] != epochs[0][1]


def test_the_split_follows_its_own_seed():
    assert list(Numbered(seed=0).validation_set.indices) == list(Numbered(seed=0).validation_set.indices)
    assert list(Numbered(seed=0).validation_set.indices) != list(Numbered(seed=1).validation_set.indices)


@pytest.mark.parametrize(
    ("length", "batch_size", "seen"),
    [
        pytest.param(200, 179, 179, id="a last batch of one is dropped"),
        pytest.param(200, 178, 180, id="one of two is not"),
        pytest.param(200, 1, 180, id="nor are batches of one that are asked for"),
        pytest.param(2, 128, 1, id="nor is a lone image"),
    ],
)
def test_only_a_lone_last_image_is_dropped(length, batch_size, seen):
    assert len(positions(Numbered(length, batch_size=batch_size).train_dataloader())) == seen


def test_the_images_of_each_process_count():
    data = Numbered(200, batch_size=89)
    data.trainer = SimpleNamespace(world_size=2)
    assert data.train_dataloader().drop_last
    data.trainer = SimpleNamespace(world_size=1)
    assert not data.train_dataloader().drop_last


def test_batches_of_the_other_parts_are_never_dropped():
    data = Numbered(201, batch_size=10)
    assert len(positions(data.test_dataloader())) == 201


@pytest.mark.parametrize("workers", [0, 2])
def test_workers_persist_where_there_are_any(workers):
    loader = Numbered(workers=workers).train_dataloader()
    assert (loader.num_workers, loader.persistent_workers) == (workers, workers > 0)
    assert loader.pin_memory == torch.cuda.is_available()


@pytest.mark.parametrize("validation", [0.0, 1.0, -0.1, float("nan")])
def test_a_share_is_between_nothing_and_all(validation):
    with pytest.raises(ValueError, match=r"^validation must be a share between 0 and 1, not"):
        Numbered(validation=validation)


@pytest.mark.parametrize("stage", ["fit", "validate", "test"])
def test_an_empty_part_is_noticed_before_a_run(stage):
    with pytest.raises(ValueError, match=f"^Numbered holds no images to {stage}"):
        Numbered(length=0).setup(stage)


class Linear(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer, self.seen = torch.nn.Linear(1, 2), {"train": 0, "val": 0, "test": 0}

    def training_step(self, batch):
        return self.step(batch, "train")

    def validation_step(self, batch):
        self.step(batch, "val")

    def test_step(self, batch):
        self.step(batch, "test")

    def step(self, batch, part):
        self.seen[part] += len(batch[1])
        return torch.nn.functional.cross_entropy(self.layer(batch[0].flatten(1)), batch[1])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.mark.filterwarnings("ignore:.*does not have many workers")
@pytest.mark.filterwarnings("ignore:.*treespec, LeafSpec:FutureWarning")  # of Lightning itself
def test_a_trainer_sees_every_image_once():
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = pl.Trainer(
        max_epochs=1, accelerator="cpu", num_sanity_val_steps=0, enable_model_summary=False, **quiet
    )
    module, data = Linear(), Numbered(batch_size=50)
    trainer.fit(module, data)
    trainer.test(module, data, verbose=False)
    assert module.seen == {"train": 180, "val": 20, "test": 200}
