"""Attacks of other libraries are measured, and not believed."""

import math

import pytest
import torch

from robust_train import Foreign
from tests.perturbations.examples import Darken
from tests.toy_networks import convolutional

inputs = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
labels = torch.zeros(4, dtype=torch.int64)


def attacked(attack, **fields):
    return Foreign(attack=attack, **fields)(convolutional(), inputs, labels)


def test_what_comes_back_is_measured_and_not_projected():
    for norm, order in {"linf": math.inf, "l2": 2, "l1": 1}.items():
        found = attacked(Darken(0.25), norm=norm, eps=1e-3)
        assert torch.equal(found.inputs, 0.75 * inputs)
        r = (0.75 * inputs).double() - inputs.double()
        torch.testing.assert_close(found.size, r.flatten(1).norm(order, dim=1))
        assert (found.size > 1e-3).all()


def test_outside_of_the_box_it_does_not_count():
    def brighter(network, x, y):
        return torch.cat([x[:2] + 1, x[2:]])

    assert attacked(brighter).size.isinf().tolist() == [True, True, False, False]
    assert attacked(brighter, bounds=None).size.isfinite().all()


@pytest.mark.parametrize(
    ("returned", "found"),
    [
        (lambda x: None, "NoneType"),
        (lambda x: (x, x), "tuple"),
        (lambda x: x.numpy(), "ndarray"),
        (lambda x: x[:2], r"shape \(2, 1, 8, 8\)"),
        (lambda x: x[:, 0], r"shape \(4, 8, 8\)"),
    ],
    ids=["nothing", "pair", "array", "fewer", "no channel"],
)
def test_what_is_no_batch_of_images_is_refused(returned, found):
    with pytest.raises(ValueError, match=rf"^Foreign: the attack returned {found} for inputs of shape \(4,"):
        attacked(lambda network, x, y: returned(x))


def test_what_is_not_a_number_does_not_count():
    for bounds in ((0.0, 1.0), None):
        assert attacked(lambda network, x, y: x * math.nan, bounds=bounds).size.isinf().all()


def test_an_attack_that_writes_to_its_inputs_cannot_hide_its_size():
    before = inputs.clone()
    found = attacked(lambda network, x, y: x.mul_(0.5))
    assert torch.equal(inputs, before)
    torch.testing.assert_close(found.size, (0.5 * inputs).double().flatten(1).norm(dim=1))


def test_it_gets_gradients_and_the_true_labels():
    def gradient_step(network, x, y):
        assert torch.equal(y, labels)
        x = x.clone().requires_grad_()
        torch.nn.functional.cross_entropy(network(x), y, reduction="sum").backward()
        return (x + 0.1 * x.grad.sign()).clamp(0, 1)

    with torch.no_grad():
        found = attacked(gradient_step, norm="linf")
    assert not found.inputs.requires_grad
    torch.testing.assert_close(found.size.max(), torch.tensor(0.1, dtype=torch.float64))
