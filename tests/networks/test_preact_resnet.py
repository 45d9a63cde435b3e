import pytest
import torch
from torch import nn
from torch.nn import functional as F

from robust_train.networks import PreActResNet18
from robust_train.networks.preact_resnet import _Block


def test_parameters():
    assert sum(p.numel() for p in PreActResNet18().parameters()) == 11_172_170


def test_the_stages_halve_the_image():
    network, sizes = PreActResNet18().eval(), []
    for name in ("stem", "stage1", "stage2", "stage3", "stage4"):
        getattr(network, name).register_forward_hook(lambda m, i, o: sizes.append(tuple(o.shape[1:])))
    network(torch.rand(1, 3, 32, 32))
    assert sizes == [(64, 32, 32), (64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4)]


def test_grey_images_need_one_channel_and_values_to_match():
    network = PreActResNet18(channels=1, mean=[0.5], std=[0.5]).eval()
    assert network(torch.rand(1, 1, 28, 28)).shape == (1, 10)
    with pytest.raises(ValueError, match="mean has 3 values for 1 channels"):
        PreActResNet18(channels=1)


def test_a_block_without_residual_is_the_identity():
    block, x = _Block(4, 4).eval(), torch.randn(2, 4, 6, 6)
    nn.init.zeros_(block.convolve2.weight)
    assert torch.equal(block(x), x)


@pytest.mark.parametrize(("outputs", "stride"), [(3, 1), (5, 1), (3, 2), (5, 2)])
def test_a_block_is_the_published_formula(outputs, stride):
    block, x = _Block(3, outputs, stride).double().train(), torch.randn(4, 3, 6, 6, dtype=torch.float64)

    def activate(x):
        mean, variance = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), keepdim=True, correction=0)
        return ((x - mean) / (variance + 1e-5).sqrt()).clamp_min(0)

    inner = F.conv2d(activate(x), block.convolve1.weight, stride=stride, padding=1)
    residual = F.conv2d(activate(inner), block.convolve2.weight, padding=1)
    same = (outputs, stride) == (3, 1)
    shortcut = x if same else F.conv2d(activate(x), block.shortcut.weight, stride=stride)
    torch.testing.assert_close(block(x), shortcut + residual)
