import pytest
import torch

from robust_train.networks import Normalize


def test_each_channel_is_standardised():
    images, mean, std = torch.rand(2, 3, 4, 5), [0.1, 0.2, 0.3], [0.5, 1.0, 2.0]
    normalised = Normalize(mean, std)(images)
    for c in range(3):
        torch.testing.assert_close(normalised[:, c], (images[:, c] - mean[c]) / std[c])


def test_one_value_serves_all_channels():
    images = torch.rand(2, 3, 4, 5)
    one = Normalize([0.4], [0.2], shape=(3,))
    assert one.mean.shape == one.std.shape == (3,)
    assert torch.equal(one(images), Normalize([0.4] * 3, [0.2] * 3)(images))


def test_values_are_buffers_of_the_state():
    assert set(Normalize([0.1], [0.2]).state_dict()) == {"mean", "std"}
    assert not list(Normalize([0.1], [0.2]).parameters())


@pytest.mark.parametrize(
    ("mean", "std", "sentence"),
    [
        ([0.5, 0.5], [1.0] * 3, r"^mean has 2 values for 3 channels: "),
        ([0.5], [1.0, 1.0, 1.0, 1.0], r"^std has 4 values for 3 channels: "),
        ([0.5], [0.0], r"^std must be positive, not \[0.0\]"),
        ([0.5], [float("nan")], r"^std must be positive"),
    ],
)
def test_wrong_values_are_refused(mean, std, sentence):
    with pytest.raises(ValueError, match=sentence):
        Normalize(mean, std, shape=(3,))


@pytest.mark.parametrize("shape", [(2, 3, 8, 8), (1, 8, 8), (2, 64)])
def test_other_shapes_are_refused(shape):
    sentence = r"expected images \(N, 1, H, W\), got \(.*: build it with .*, and mean and std of one value"
    with pytest.raises(ValueError, match=sentence):
        Normalize([0.5], [0.5])(torch.rand(shape))


def test_other_sizes_are_refused_where_the_size_is_fixed():
    with pytest.raises(ValueError, match=r"expected images \(N, 1, 8, 8\), got \(2, 1, 28, 28\)"):
        Normalize([0.5], [0.5], shape=(1, 8, 8))(torch.rand(2, 1, 28, 28))


def test_an_empty_batch_passes():
    assert Normalize([0.5], [0.5])(torch.rand(0, 1, 8, 8)).shape == (0, 1, 8, 8)
