"""Nothing that an evaluation touches is left changed."""

import random

import numpy as np
import pytest
import torch
from torch import nn

from robust_train.evaluation import evaluate
from robust_train.perturbations import PGD


class Leaky(nn.Module):
    """Everything that an evaluation could leave a trace in."""

    def __init__(self, calls=10**9):
        super().__init__()
        self.norm, self.drop, self.layer = nn.BatchNorm2d(1), nn.Dropout(), nn.Linear(16, 3)
        self.register_buffer("seen", torch.zeros(()))
        self.norm.eval()
        self.norm.bias.requires_grad_(False)
        self.layer.weight.grad = torch.ones(3, 16)
        self.calls = calls

    def forward(self, x):
        self.seen += 1
        self.calls -= 1
        if self.calls < 0:
            raise RuntimeError("in the middle")
        torch.rand(())
        return self.layer(self.drop(self.norm(x)).flatten(1))


def state(network):
    parameters = dict(network.named_parameters())
    return {
        "tensors": {name: value.clone() for name, value in network.state_dict().items()},
        "grads": {name: None if p.grad is None else p.grad.clone() for name, p in parameters.items()},
        "asking": {name: p.requires_grad for name, p in parameters.items()},
        "modes": {name: module.training for name, module in network.named_modules()},
        "random": torch.get_rng_state(),
    }


@pytest.mark.parametrize("calls", [10**9, 9])
@pytest.mark.parametrize("mode", [torch.no_grad, torch.enable_grad])
def test_nothing_leaks(data, suite, calls, mode):
    network = Leaky(calls)
    before = state(network)
    with mode():
        if calls == 9:
            with pytest.raises(RuntimeError, match="in the middle"):
                evaluate(network, data, suite, block=16, progress=False)
        else:
            evaluate(network, data, suite, block=16, progress=False)
        assert torch.is_grad_enabled() == (mode is torch.enable_grad)
    torch.testing.assert_close(state(network), before, rtol=0, atol=0)


class Drawn(list):
    def __getitem__(self, index):
        image, label = super().__getitem__(index)
        return image * torch.rand(()), label


def test_a_data_set_that_draws_leaves_the_global_random_state_alone(network, data):
    before = torch.get_rng_state()
    evaluate(network, Drawn(data), {"pgd": PGD(steps=1)}, progress=False)
    assert torch.equal(torch.get_rng_state(), before)


def test_an_attack_may_draw_from_every_global_generator(network, data):
    def foreign(network, x, y):
        return x + 0 * (random.random() + np.random.rand() + torch.rand(()))

    before = random.getstate(), np.random.get_state()[1:3]
    evaluate(network, data, {"foreign": foreign}, progress=False)
    assert random.getstate() == before[0]
    assert str(np.random.get_state()[1:3]) == str(before[1])
