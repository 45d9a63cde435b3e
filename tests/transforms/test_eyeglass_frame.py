"""The frame is drawn to the size of the image."""

import pytest
import torch

from robust_train.transforms.eyeglass_frame import EyeglassFrame


def frame(rows, columns, **fields):
    return EyeglassFrame(**fields)(torch.zeros(1, 3, rows, columns))[0, 0]


def test_it_is_symmetric_and_covers_the_same_share_at_every_size():
    shares = [frame(size, size).double().mean().item() for size in (100, 200, 400)]
    assert max(shares) - min(shares) < 0.01
    for rows, columns in ((28, 28), (64, 48), (33, 91)):
        mask = frame(rows, columns)
        assert torch.equal(mask, mask.flip(1))
        assert 0.05 < mask.double().mean() < 0.35


def test_one_sees_through_the_rims():
    mask = frame(100, 100)
    assert mask.any(0).all()  # from one temple to the other
    assert not mask[40, 30]
    assert mask[26:29, 30].any()
    assert mask[52:55, 30].any()


@pytest.mark.parametrize("name", ["height", "width", "thickness", "center"])
def test_what_is_no_share_is_refused(name):
    with pytest.raises(ValueError, match=f"^EyeglassFrame: {name} must be a share"):
        EyeglassFrame(**{name: 1.5})


def test_what_is_no_image_is_refused():
    with pytest.raises(ValueError, match=r"^EyeglassFrame: inputs have shape \(N, 4\)"):
        EyeglassFrame()(torch.zeros(2, 4))
