import pytest
import torch
from torch.nn.functional import conv2d

from robust_train import ParsevalRetraction, lipschitz_bound
from robust_train.networks import ConvexResNet
from robust_train.networks.convex_resnet import _Block
from robust_train.networks.convex_sum import ConvexSum


def test_a_sum_is_the_formula_and_begins_as_the_mean():
    a, b, c = torch.randn(3, 2, 4)
    add = ConvexSum(3)
    torch.testing.assert_close(add(a, b, c), (a + b + c) / 3)
    add.alpha.data = torch.tensor([0.2, 0.0, -1.0])
    torch.testing.assert_close(add(a, b, c), 0.2 * a - c)


def test_a_block_is_its_formula():
    block, x = _Block(3).double(), torch.randn(2, 3, 5, 5, dtype=torch.float64)
    block.add.alpha.data = torch.tensor([0.3, 0.7], dtype=torch.float64)
    first, second = block.residual[1], block.residual[3]
    inner = conv2d(x.clamp_min(0), first.weight, first.bias, padding=1).clamp_min(0)
    expected = 0.3 * x + 0.7 * conv2d(inner, second.weight, second.bias, padding=1)
    torch.testing.assert_close(block(x), expected)


def test_weights_of_the_sums_are_learnt_and_come_back_to_the_simplex():
    network = ConvexResNet((1, 8, 8), width=4)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.5)
    loss = torch.nn.functional.cross_entropy(network(torch.rand(8, 1, 8, 8)), torch.arange(8))
    loss.backward()
    optimizer.step()
    ParsevalRetraction(beta=0.1).after_step(network)
    sums = [module for module in network.modules() if isinstance(module, ConvexSum)]
    assert len(sums) == 2
    for add in sums:
        assert not torch.equal(add.alpha, torch.full((2,), 0.5))
        assert (add.alpha >= 0).all()
        assert add.alpha.sum().item() == pytest.approx(1)


def test_retracted_it_stretches_nothing_behind_the_normalisation():
    network = ConvexResNet((1, 8, 8), width=4, std=[1.0]).double()
    assert lipschitz_bound(network) > 1.1
    for _ in range(200):
        ParsevalRetraction(beta=0.2).after_step(network)
    assert lipschitz_bound(network) <= 1.005**5


def test_small_images_are_refused():
    with pytest.raises(ValueError, match=r"^ConvexResNet pools twice: 3x8 pixels"):
        ConvexResNet((1, 3, 8))
