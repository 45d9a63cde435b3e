"""What the tests of the commands share: a place of their own, and one small run to start from."""

import os
from pathlib import Path

import pytest

from robust_train.__main__ import main

RECIPES = Path(__file__).parents[2] / "recipes"

RECIPE = """\
# Adversarial training, with everything that recipes have.
seed_everything: 0
model:
  network: {class_path: SmallCNN, init_args: {in_shape: [1, 8, 8], width: 16}}
  defenses:
    - class_path: AdversarialTraining
      init_args: {perturbation: {class_path: PGD, init_args: {eps: 0.15, steps: 2}}}
  optimizer: {class_path: AdamW, init_args: {lr: 1e-2}}
  scheduler: {class_path: OneCycleLR, init_args: {max_lr: 0.01, total_steps: 30}}
data: {class_path: Digits, init_args: {batch_size: 64}}
trainer:
  max_epochs: 30
  callbacks:
    - {class_path: EMAWeightAveraging, init_args: {decay: 0.9}}
    - class_path: Robustness
      init_args: {on: [validate], regimes: {pgd: {class_path: PGD, init_args: {steps: 2}}}}
    - class_path: ModelCheckpoint
      init_args: {monitor: robust/pgd/robust_accuracy, mode: max, filename: best, save_last: true}
robustness:
  regimes:
    pgd: {class_path: PGD, init_args: {norm: linf, eps: 0.15, steps: 40}}
    deepfool: DeepFool
"""

TINY = (
    "--trainer.accelerator=cpu",
    "--trainer.max_epochs=1",
    "--trainer.limit_train_batches=2",
    "--trainer.limit_test_batches=1",
    "--trainer.enable_progress_bar=false",
    "--trainer.enable_model_summary=false",
    "--robustness.regimes={fgsm: {class_path: FGSM, init_args: {eps: 0.1}}}",
    "--robustness.limit=16",
    "--robustness.bar=false",
)

USER_CODE = """
import torch
from robust_train.data import Digits
from robust_train.data.tensor_images import TensorImages

class Nan(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(10))
    def forward(self, x):
        return x.flatten(1)[:, :10] * self.scale / 0

class MoreLabels(Digits):
    def read(self, train):
        images = super().read(train)
        images.labels = images.labels + 7
        return images

class TestAlone(Digits):
    def read(self, train):
        if train:
            raise FileNotFoundError("There is no training part.")
        return super().read(train)
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """An empty current folder; what a command sets in the environment is undone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.delitem(os.environ, "WANDB_MODE", raising=False)
    return tmp_path


@pytest.fixture
def mine(place, monkeypatch):
    """A module ``mine`` of the user's own in the current folder."""
    (place / "mine.py").write_text(USER_CODE)
    monkeypatch.syspath_prepend(place)
    yield "mine"
    import sys

    sys.modules.pop("mine", None)


@pytest.fixture(scope="session")
def recipe(tmp_path_factory):
    """A recipe for digits."""
    path = tmp_path_factory.mktemp("recipes") / "digits" / "tiny.yaml"
    path.parent.mkdir()
    path.write_text(RECIPE)
    return str(path)


@pytest.fixture(scope="session")
def trained(recipe, tmp_path_factory):
    """The folder of a finished run, not to be changed."""
    folder = tmp_path_factory.mktemp("trained") / "digits-tiny"
    assert main(["fit", "--config", recipe, *TINY, f"--out={folder}"]) == 0
    return folder


@pytest.fixture
def variant(place):
    """Write a changed copy of the recipe."""

    def write(old="", new=""):
        assert old in RECIPE
        path = place / "changed.yaml"
        path.write_text(RECIPE.replace(old, new) if old else RECIPE)
        return str(path)

    return write
