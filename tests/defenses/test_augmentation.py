"""Shifts and mirror images."""

from collections import Counter

import pytest
import torch
from torch.nn.functional import pad

from robust_train import Augmentation
from tests.defenses.examples import make_step


def augmented(step, **fields):
    return Augmentation(**fields).batch(None, step).inputs


def variants(image, padding, flip):
    """All shifts of one image by name, mirrored ones too."""
    height, width = image.shape[1:]
    padded = pad(image, [padding] * 4)
    shifts = {
        (row, column): padded[:, row : row + height, column : column + width]
        for row in range(2 * padding + 1)
        for column in range(2 * padding + 1)
    }
    mirrored = {(row, column, "flip"): x.flip(2) for (row, column), x in shifts.items()} if flip else {}
    return shifts | mirrored


def test_every_shift_and_its_mirror_image_is_as_likely():
    step = make_step(1, shape=(2, 5, 7))
    many = make_step(3600)
    inputs = step.inputs.expand(3600, -1, -1, -1)
    found = augmented(type(step)(inputs, many.labels, inputs, many.labels, 0.5, many.rng), padding=1)
    names = {x.numpy().tobytes(): name for name, x in variants(step.inputs[0], 1, flip=True).items()}
    counts = Counter(names[x.numpy().tobytes()] for x in found)
    assert len(counts) == 18
    assert all(abs(count - 200) < 4 * 200**0.5 for count in counts.values())


def test_a_sample_s_draw_does_not_depend_on_its_batch():
    step, rows = make_step(9), torch.tensor([4, 1, 7])
    part = type(step)(
        *(t[rows] for t in (step.inputs, step.targets, step.clean, step.labels)), 0.5, step.rng.take(rows)
    )
    assert torch.equal(augmented(part), augmented(step)[rows])


def test_shifts_by_hand():
    step = make_step(40, shape=(1, 4, 6))
    for image, found in zip(step.inputs, augmented(step, padding=2, flip=False), strict=True):
        assert any(torch.equal(found, x) for x in variants(image, 2, flip=False).values())


def test_without_shift_and_mirror_it_is_the_identity():
    step = make_step(5)
    assert torch.equal(augmented(step, padding=0, flip=False), step.inputs)


def test_an_empty_batch_stays_empty():
    assert augmented(make_step(0)).shape == (0, 1, 8, 8)


def test_a_negative_shift_is_refused():
    with pytest.raises(ValueError, match=r"^Augmentation: padding must be at least 0, not -3\.$"):
        Augmentation(padding=-3)
