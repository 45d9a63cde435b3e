"""A Lightning project that has never heard of this package, for either of Lightning's packages."""

from importlib import import_module

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from robust_train.perturbations import PGD, DeepFool, RandomDirection


def small_network():
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 24), nn.Tanh(), nn.Linear(24, 3))
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.5)
    return network


def project(package):
    """The project's module; a batch may be anything that ``step`` understands."""

    class Project(import_module(package).LightningModule):
        def __init__(self, network=None):
            super().__init__()
            self.network = small_network() if network is None else network

        def forward(self, x):
            return self.network(x)

        def step(self, batch, name):
            loss = cross_entropy(self(batch[0]), batch[1])
            self.log(name, loss, batch_size=len(batch[1]))
            return loss

        def training_step(self, batch, batch_idx):
            return self.step(batch, "train_loss")

        def validation_step(self, batch, batch_idx, dataloader_idx=0):
            self.step(batch, "val_loss")

        def test_step(self, batch, batch_idx, dataloader_idx=0):
            self.inference = torch.is_inference_mode_enabled()
            self.step(batch, "test_loss")

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    return Project


@pytest.fixture
def make_project():
    return lambda package="pytorch_lightning", network=None: project(package)(network)


@pytest.fixture(params=["pytorch_lightning", "lightning.pytorch"])
def package(request):
    return request.param


@pytest.fixture
def make_trainer(tmp_path):
    """A quiet trainer of either package."""

    def make(callbacks, package="pytorch_lightning", **settings):
        quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
        quiet |= {"enable_model_summary": False, "log_every_n_steps": 1, "accelerator": "cpu"}
        settings = {
            "max_epochs": 2,
            "default_root_dir": tmp_path,
            "callbacks": callbacks,
            **quiet,
            **settings,
        }
        return import_module(package).Trainer(**settings)

    return make


@pytest.fixture
def dataset():
    """21 images of a grid of pixel values, which no batch size of the tests divides."""
    images = torch.randint(0, 257, (21, 1, 4, 4), generator=torch.Generator().manual_seed(0)) / 256
    return TensorDataset(images, images.flatten(1)[:, :3].argmax(1))


@pytest.fixture
def loader(dataset):
    return DataLoader(dataset, batch_size=4)


@pytest.fixture
def suite():
    return {"pgd": PGD(eps=8 / 255, steps=5), "deepfool": DeepFool(), "noise": RandomDirection()}


@pytest.fixture
def pgd():
    return {"pgd": PGD(eps=0.1, steps=5)}
