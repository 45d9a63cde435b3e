import torch

from robust_train.data.tensor_images import TensorImages

IMAGES = TensorImages(torch.arange(256, dtype=torch.uint8).view(64, 1, 2, 2), torch.arange(64))


def test_levels_become_shares_of_white():
    values = torch.stack([image for image, _ in IMAGES]).flatten()
    assert values.dtype == torch.float32
    assert torch.equal(values, torch.arange(256) / 255)
    assert values.min() == 0
    assert values.max() == 1


def test_a_batch_is_its_samples():
    rows = [5, 0, 63, 5]
    for (image, label), row in zip(IMAGES.__getitems__(rows), rows, strict=True):
        assert torch.equal(image, IMAGES[row][0])
        assert (label, type(label)) == (row, int)
