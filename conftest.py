"""What all tests and examples share: a seed, and the folder of the data sets that some of them read."""

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings

# The same examples every time, and nothing written to disk.
settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def data_root() -> Path:
    """A folder in torchvision's layout: ``ROBUST_TRAIN_DATA``, or ``shared/data`` beside the repository."""
    beside = Path(__file__).parents[1] / "shared" / "data"
    root = Path(os.environ.get("ROBUST_TRAIN_DATA", beside))
    if not root.is_dir():
        pytest.skip(f"no data sets in {root}: set ROBUST_TRAIN_DATA to a folder in torchvision's layout")
    return root
