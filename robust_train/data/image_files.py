"""Images that are read from their files when they are asked for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from robust_train.data.labelled_images import LabelledImages, Sample


class ImageFiles(LabelledImages):
    """Colour images of one size: shorter side resized, then the square in the middle cut out.

    White is 255 in files of 8 bits, and 65535 in those of 16 bits. Floating-point pixels, whose white no file
    tells, are refused.

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
            if image.mode == "F":
                raise ValueError("Pillow would cut it off below 0 and above 255.")
            return _of_8_bits(image).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{file} cannot be read as an image: mend or remove it.") from error


def _of_8_bits(image: Any) -> Any:
    """A picture whose white is 255: of greys up to 65535 Pillow would cut off all above."""
    if not image.mode.startswith("I"):
        return image
    return image.convert("I").point(lambda grey: grey * (1 / 257) + 0.5)
