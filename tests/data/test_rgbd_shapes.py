"""Shapes in colour and in depth, the same wherever they are drawn."""

import torch

from robust_train.data import RGBDShapes


def both(images):
    return torch.stack([image for image, _ in images]), torch.tensor([label for _, label in images])


def test_the_parts_are_balanced_and_in_the_unit_interval():
    data = RGBDShapes()
    for part, count in ((data.train_set, 1800), (data.validation_set, 200), (data.test_set, 500)):
        images, labels = both(part)
        assert images.shape == (count, *RGBDShapes.shape)
        assert 0 <= images.min() < 0.01
        assert 0.99 < images.max() <= 1
        assert (labels.bincount(minlength=4) - count // 4).abs().max() <= 1


def test_the_same_images_are_drawn_again():
    first, second = (both(RGBDShapes(seed=seed).test_set) for seed in (0, 1))
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])


def test_colour_and_depth_show_the_same_shape():
    images, _ = both(RGBDShapes().test_set)
    shape = images[:, 3] < 0.55  # nearer than the wall
    assert 0.03 < shape.float().mean((1, 2)).amin() < shape.float().mean((1, 2)).amax() < 0.6
    # Between shape and wall the colours differ by far more than noise, in some channel.
    inside, outside = (
        (images[:, :3] * m[:, None]).sum((2, 3)) / m.sum((1, 2))[:, None] for m in (shape, ~shape)
    )
    assert ((inside - outside).abs().amax(1) > 0.15).float().mean() > 0.99
