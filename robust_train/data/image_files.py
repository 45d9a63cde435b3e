"""Images that are read from their files when they are asked for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from robust_train.data.labelled_images import LabelledImages, Sample


class ImageFiles(LabelledImages):
    """Colour images of one size: shorter side resized, then the square in the middle cut out.

    Args:
        files: One for each image.
        labels: ``(N,)`` int64.
        resize: Length of the shorter side, in pixels.
        size: Side of the square, in pixels.

    Raises:
        ValueError: A file cannot be read as an image.
    """

    def __init__(self, files: Sequence[Path], labels: Tensor, resize: int, size: int) -> None:
        super().__init__(labels)
        self.files = files
        self.resize = resize
        self.size = size

    def __getitem__(self, row: int) -> Sample:
        from torchvision.transforms import functional

        image = functional.resize(_decode(self.files[row]), self.resize)
        image = functional.center_crop(image, self.size)
        return functional.to_tensor(image), int(self.labels[row])


def _decode(file: Path) -> Any:
    """The picture in a file, in red, green and blue."""
    from PIL import Image

    try:
        with Image.open(file) as image:
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{file} cannot be read as an image: mend or remove it.") from error
