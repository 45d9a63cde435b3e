import json

import pytest
import torch
from PIL import Image

from robust_train.data import ImageFolder


def fill(folder, *names, count=2):
    for name in names:
        (folder / name).mkdir(parents=True)
        for i in range(count):
            Image.new("RGB", (12, 10), (40 * i, 0, 0)).save(folder / name / f"{i}.JPEG")
    return str(folder.parent if folder.name in ("train", "test") else folder)


def test_both_parts(tmp_path):
    fill(tmp_path / "train", "cat", "ant", "bee", count=5)
    data = ImageFolder(fill(tmp_path / "test", "cat", "ant"), size=8, validation=0.2)
    assert (data.classes, data.num_classes, data.shape) == (("ant", "bee", "cat"), 3, (3, 8, 8))
    assert (len(data.train_set), len(data.validation_set)) == (12, 3)
    assert data.test_set.labels.tolist() == [0, 0, 2, 2]
    images, labels = next(iter(data.train_dataloader()))
    assert (images.shape, labels.bincount().tolist()) == ((12, 3, 8, 8), [4, 4, 4])


def test_bare_classes_are_the_test_part(tmp_path):
    data = ImageFolder(fill(tmp_path, "ant", "bee"), size=8)
    assert data.test_set.labels.tolist() == [0, 0, 1, 1]
    with pytest.raises(FileNotFoundError, match=f"^There is no folder {tmp_path}/train: put a folder"):
        data.setup("fit")


def test_what_is_no_image_is_passed_over(tmp_path):
    root = fill(tmp_path, "ant", "bee")
    (tmp_path / "ant" / ".hidden.png").touch()
    (tmp_path / "ant" / "notes.txt").touch()
    (tmp_path / ".git").mkdir()
    fill(tmp_path / "bee", ".ipynb_checkpoints")
    fill(tmp_path / "bee", "more", count=3)
    data = ImageFolder(root, size=8)
    assert data.classes == ("ant", "bee")
    assert data.test_set.labels.tolist() == [0, 0, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("name", ["val", "valid", "validation"])
@pytest.mark.parametrize("train", [True, False])
def test_a_test_part_of_another_name_is_no_class(tmp_path, name, train):
    root = str(tmp_path)
    fill(tmp_path / name, "ant", "bee")
    if train:
        fill(tmp_path / "train", "ant", "bee")
    cure = f"^There is no folder {tmp_path}/test: say --data.test={name} to take {tmp_path}/{name} for it"
    with pytest.raises(FileNotFoundError, match=cure):
        ImageFolder(root).setup("test")
    data = ImageFolder(root, test=name, size=8)
    assert (data.classes, data.test_set.labels.tolist()) == (("ant", "bee"), [0, 0, 1, 1])


def test_parts_of_any_name_are_no_classes(tmp_path):
    fill(tmp_path / "first", "ant", "bee")
    fill(tmp_path / "second", "ant", "bee")
    with pytest.raises(FileNotFoundError, match=f"^There is no folder {tmp_path}/test: put a folder"):
        ImageFolder(str(tmp_path)).setup("test")


def test_a_single_class_needs_a_map(tmp_path):
    """Such as ImageNet's validation images, unsorted: all would have the label 0."""
    root, file = fill(tmp_path, "val"), tmp_path / "classes.json"
    with pytest.raises(ValueError, match=f"^{tmp_path} holds no class but val: put a folder"):
        ImageFolder(root).setup("test")
    file.write_text('{"val": 7}')
    assert ImageFolder(root, label_map=str(file)).test_set.labels.tolist() == [7, 7]


def test_a_map_gives_the_labels(tmp_path):
    root, file = fill(tmp_path, "n01", "n02"), tmp_path / "classes.json"
    file.write_text(json.dumps({"n01": {"index": 3, "name": "owl"}, "n02": 1, "n09": 4}))
    data = ImageFolder(root, size=8, label_map=str(file))
    assert data.test_set.labels.tolist() == [3, 3, 1, 1]
    assert data.classes == ("0", "n02", "2", "owl", "n09")


def test_a_class_without_a_label_is_named(tmp_path):
    fill(tmp_path / "train", "ant", "bee")
    root = fill(tmp_path / "test", "ant", "yak")
    with pytest.raises(ValueError, match=f"test/yak is a class that {tmp_path}/train does not know: add it"):
        ImageFolder(root).setup("test")
    file = tmp_path / "classes.json"
    file.write_text('{"ant": 0}')
    with pytest.raises(ValueError, match=f"test/yak is a class that {file} does not know: add it"):
        ImageFolder(root, label_map=str(file)).setup("test")


def test_missing_folders_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"^There is no folder {tmp_path}/none/test: "):
        ImageFolder(str(tmp_path / "none")).setup("test")
    with pytest.raises(FileNotFoundError, match=f"^{tmp_path} holds no folders: put"):
        ImageFolder(str(tmp_path)).setup("test")
    for name in ("ant", "bee"):
        (tmp_path / name).mkdir()
    with pytest.raises(ValueError, match=r"^ImageFolder holds no images to test"):
        ImageFolder(str(tmp_path)).setup("test")


def test_sizes():
    assert ImageFolder().resize == 256
    assert ImageFolder(size=32, resize=32).resize == 32
    with pytest.raises(ValueError, match=r"^resize must be at least size, 32 pixels, not 30"):
        ImageFolder(size=32, resize=30)
    with pytest.raises(ValueError, match=r"^size must be at least 1 pixel, not 0"):
        ImageFolder(size=0)


def test_photographs_of_imagenet(data_root):
    root = data_root / "imagenet-samples"
    if not root.is_dir():
        pytest.skip(f"no imagenet-samples in {data_root}")
    data = ImageFolder(str(root), batch_size=4, label_map=str(root / "classes.json"))
    data.setup("test")
    assert data.test_set.labels.tolist() == list(range(0, 1000, 10))
    assert (data.classes[0], data.classes[950]) == ("tench", "orange")
    images, labels = next(iter(data.test_dataloader()))
    assert images.shape == (4, 3, 224, 224)
    assert 0 <= images.min() < 0.1 < 0.9 < images.max() <= 1
    assert torch.equal(labels, torch.tensor([0, 10, 20, 30]))
