import pytest
import torch

from robust_train.networks import LeNet


@pytest.mark.parametrize("in_shape", [(1, 28, 28), (1, 32, 32), (3, 32, 32)])
def test_both_sizes_reach_the_published_dense_layers(in_shape):
    network = LeNet(in_shape)
    assert network(torch.rand(2, *in_shape)).shape == (2, 10)
    assert sum(p.numel() for p in network.parameters()) == 61_556 + 150 * in_shape[0]


def test_other_sizes_are_refused():
    with pytest.raises(ValueError, match=r"28x28 or 32x32 pixels, not 8x8: SmallCNN"):
        LeNet((1, 8, 8))
