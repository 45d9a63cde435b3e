import shutil

import pytest
import torch
from torchvision import datasets
from torchvision.transforms.functional import to_tensor

from robust_train.data import CIFAR10, MNIST, FashionMNIST

every_set = pytest.mark.parametrize(
    ("kind", "length", "folder"),
    [
        (MNIST, 60_000, "MNIST"),
        (FashionMNIST, 60_000, "FashionMNIST"),
        (CIFAR10, 50_000, "cifar-10-batches-py"),
    ],
)


@pytest.fixture
def root(data_root, folder):
    if not (data_root / folder).is_dir():
        pytest.skip(f"no {folder} in {data_root}")
    return str(data_root)


@every_set
def test_images_are_those_of_torchvision(kind, length, root):
    data, theirs = kind(root=root), getattr(datasets, kind.__name__)(root, train=False)
    data.setup("test")
    assert len(data.test_set) == 10_000
    assert data.test_set.labels.tolist() == list(theirs.targets)
    for row in (0, 1, 2, 4_711, 9_999):
        image, label = data.test_set[row]
        assert torch.equal(image, to_tensor(theirs[row][0]))
        assert (label, tuple(image.shape)) == (theirs[row][1], data.shape)
    assert (data.test_set.pixels.min(), data.test_set.pixels.max()) == (0, 255)
    assert data.classes == tuple(name.split(" - ")[0] for name in theirs.classes)


@every_set
def test_a_tenth_of_the_training_part_is_held_out(kind, length, root):
    data = kind(root=root)
    data.setup("fit")
    assert (len(data.train_set), len(data.validation_set)) == (0.9 * length, 0.1 * length)
    assert not set(data.train_set.indices) & set(data.validation_set.indices)
    held = data.train_set.dataset.labels[data.validation_set.indices].bincount()
    assert (held - held.float().mean()).abs().max() <= 80  # MNIST itself is not quite balanced
    images, labels = next(iter(data.train_dataloader()))
    assert (images.dtype, labels.dtype, len(images)) == (torch.float32, torch.int64, 128)
    assert 0 <= images.min() < images.max() <= 1


@every_set
def test_missing_files_are_told_in_one_sentence(kind, length, folder, tmp_path):
    sentence = f"^{kind.__name__} is missing or damaged in {tmp_path}: fetch it with download=True .*$"
    for stage in ("fit", "test"):
        with pytest.raises(FileNotFoundError, match=sentence):
            kind(root=str(tmp_path)).setup(stage)


@pytest.mark.parametrize("folder", ["MNIST"])
@pytest.mark.parametrize("kept", [0, 10, 5_000])
def test_damaged_files_are_told_in_one_sentence(root, folder, kept, tmp_path):
    raw = shutil.copytree(
        f"{root}/MNIST/raw", tmp_path / "MNIST/raw", ignore=shutil.ignore_patterns("train*")
    )
    file = raw / "t10k-images-idx3-ubyte"
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(FileNotFoundError, match=r"^MNIST is missing or damaged in"):
        MNIST(root=str(tmp_path)).setup("test")


def test_a_failed_download_is_told_in_one_sentence(monkeypatch, tmp_path):
    def refuse(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr(datasets, "MNIST", refuse)
    with pytest.raises(FileNotFoundError, match=r"^MNIST is missing or damaged in .*: check the connection"):
        MNIST(root=str(tmp_path), download=True).prepare_data()


def test_nothing_is_fetched_unless_asked_for(monkeypatch):
    monkeypatch.setattr(datasets, "MNIST", lambda *_, **__: pytest.fail("torchvision was called"))
    MNIST(root="nowhere").prepare_data()
