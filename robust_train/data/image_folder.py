"""A folder of photographs, one folder for each class."""

from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from robust_train.data.base import ImageData
from robust_train.data.image_files import ImageFiles
from robust_train.data.label_map import Label, read_label_map
from robust_train.data.labelled_images import LabelledImages

_SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
_TEST_NAMES = ("val", "valid", "validation", "test")  # what others call the part to test on


class ImageFolder(ImageData):
    """Image files in ``<root>/train/<class>/`` and ``<root>/test/<class>/``.

    Where ``root`` has neither of the two it is expected to hold the classes themselves, and is the
    test part: enough to evaluate a network. Labels count the folders of the training part (or of
    the test part, where that is all) in alphabetical order, unless a map says otherwise. Folders in
    those of the classes are searched too; what is hidden, by a name with a leading dot, is not.

    Args:
        root: Folder that holds both parts.
        train: Name of the training part in it.
        test: Name of the test part in it, such as ``val`` for ImageNet as it is shipped.
        size: Height and width of the square that the middle of an image is cut to, in pixels.
        resize: Length that the shorter side is brought to before, in pixels; by default 8/7 of
            ``size``, as networks for ImageNet are evaluated: 256 for 224.
        label_map: JSON file with the labels of the folders, such as
            ``{"n01440764": {"index": 0, "name": "tench"}}`` or ``{"tench": 0}``: what a network
            with more classes, or another order of them, needs. The highest index then says how
            many classes there are.
        options: Those of every data set, see ``ImageData``.

    Raises:
        FileNotFoundError: A folder or the map is missing.
        ValueError: A folder has no label, or is the only one without a map, a file is no image,
            ``size`` is not positive, or ``resize`` is less.

    Example:
        >>> ImageFolder("photographs", size=64).shape
        (3, 64, 64)
    """

    def __init__(
        self,
        root: str = "data",
        train: str = "train",
        test: str = "test",
        size: int = 224,
        resize: int | None = None,
        label_map: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.root = Path(root).expanduser().absolute()
        self.parts = {True: train, False: test}
        self.size = size
        self.resize = round(size * 8 / 7) if resize is None else resize
        self.label_map = label_map
        if size < 1:
            raise ValueError(f"size must be at least 1 pixel, not {size}.")
        if self.resize < size:
            raise ValueError(f"resize must be at least size, {size} pixels, not {resize}.")

    @property
    def shape(self) -> tuple[int, int, int]:
        return 3, self.size, self.size

    @cached_property
    def classes(self) -> tuple[str, ...]:
        names = {label.index: label.name for label in self._labels.values()}
        return tuple(names.get(index, str(index)) for index in range(max(names) + 1))

    @cached_property
    def _labels(self) -> dict[str, Label]:
        """The label of each folder, by its name."""
        if self.label_map is not None:
            return read_label_map(self.label_map)
        part = self._part(train=(self.root / self.parts[True]).is_dir())
        folders = _class_folders(part)
        if len(folders) < 2:
            raise ValueError(
                f"{part} holds no class but {folders[0].name}: put a folder of images for each class there, "
                "or tell the label of this one by --data.label_map."
            )
        return {folder.name: Label(index, folder.name) for index, folder in enumerate(folders)}

    def read(self, train: bool) -> LabelledImages:
        files, labels = [], []
        for folder in _class_folders(self._part(train)):
            found = [file for file in sorted(folder.rglob("*")) if _is_image(file.relative_to(folder))]
            files += found
            labels += [self._label(folder)] * len(found)
        return ImageFiles(files, torch.tensor(labels, dtype=torch.int64), self.resize, self.size)

    def _part(self, train: bool) -> Path:
        """Where the training or the test part lies."""
        part = self.root / self.parts[train]
        if part.is_dir():
            return part
        alone = self.root.is_dir() and not (self.root / self.parts[True]).is_dir()
        if not train and alone and not _holds_parts(self.root):
            return self.root
        raise FileNotFoundError(f"There is no folder {part}: {self._cure(train)}.")

    def _cure(self, train: bool) -> str:
        named = [name for name in _TEST_NAMES if (self.root / name).is_dir()]
        if named and not train:
            return f"say --data.test={named[0]} to take {self.root / named[0]} for it"
        return "put a folder of images for each class there, or name another place by --data.root"

    def _label(self, folder: Path) -> int:
        if folder.name not in self._labels:
            source = self.label_map or self._part(train=True)
            raise ValueError(f"{folder} is a class that {source} does not know: add it there, or remove it.")
        return self._labels[folder.name].index


def _class_folders(part: Path) -> list[Path]:
    folders = _folders(part)
    if not folders:
        raise FileNotFoundError(f"{part} holds no folders: put a folder of images for each class there.")
    return folders


def _holds_parts(root: Path) -> bool:
    """Whether its folders hold folders and no image: parts of a data set rather than classes."""
    folders = _folders(root)
    images = any(_is_image(Path(file.name)) for folder in folders for file in folder.iterdir())
    return not images and any(_folders(folder) for folder in folders)


def _folders(place: Path) -> list[Path]:
    return sorted(p for p in place.iterdir() if p.is_dir() and not p.name.startswith("."))


def _is_image(file: Path) -> bool:
    """Whether a file, as it is called from the folder of its class, is an image and not hidden."""
    return file.suffix.lower() in _SUFFIXES and not any(part.startswith(".") for part in file.parts)
