"""Images that live in memory."""

from torch import Tensor

from robust_train.data.labelled_images import LabelledImages, Sample


class TensorImages(LabelledImages):
    """Images held as one tensor of integers, a quarter of the memory of floating point.

    Args:
        pixels: ``(N, C, H, W)`` uint8.
        labels: ``(N,)`` int64.
        white: The brightest level, which becomes 1.

    Example:
        >>> import torch
        >>> images = TensorImages(torch.full((2, 1, 1, 1), 255, dtype=torch.uint8), torch.tensor([3, 4]))
        >>> images[1]
        (tensor([[[1.]]]), 4)
    """

    def __init__(self, pixels: Tensor, labels: Tensor, white: int = 255) -> None:
        super().__init__(labels)
        self.pixels = pixels
        self.white = white

    def __getitem__(self, row: int) -> Sample:
        return self.pixels[row] / self.white, int(self.labels[row])

    def __getitems__(self, rows: list[int]) -> list[Sample]:
        """A whole batch at once, as loaders ask for it."""
        images = self.pixels[rows] / self.white
        return list(zip(images, self.labels[rows].tolist(), strict=True))
