"""Inside a mask against the closed forms with masked weights."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from robust_train import LBFGS, DeepFool, Mask, Masked
from tests.closed_forms import DUAL, ORDER, half_spaces
from tests.toy_networks import convolutional, linear


@dataclass(frozen=True)
class Checkerboard(Mask):
    def __call__(self, images):
        rows, columns = (torch.arange(n) for n in images.shape[-2:])
        return ((rows[:, None] + columns) % 2 == 0)[None, None]


def case(classes=4):
    network, inputs = linear((2, 4, 4), classes), torch.rand(16, 2, 4, 4, dtype=torch.float64)
    return network, inputs, network(inputs).argmax(1)


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_the_masked_weights_take_the_place_of_the_weights(norm):
    network, inputs, labels = case()
    search = Masked(
        minimal_search=DeepFool(norm=norm, overshoot=1e-5, candidates=4), mask=Checkerboard(), bounds=None
    )
    found = search(network, inputs, labels)
    mask = Checkerboard()(inputs).expand(1, 2, 4, 4).flatten().numpy()
    rows = zip(inputs.flatten(1).numpy(), labels.tolist(), strict=True)
    dual = ORDER[DUAL[norm]]
    truth = [
        min(gap / np.linalg.norm(mask * w, dual) for w, gap in half_spaces(network, x, y)) for x, y in rows
    ]
    np.testing.assert_allclose(found.size, truth, rtol=1e-4)
    assert ((found.inputs == inputs) | Checkerboard()(inputs)).all()


def test_any_search_that_follows_gradients_will_do():
    network, inputs, labels = case(classes=2)
    one, other = (
        Masked(minimal_search=search, mask=Checkerboard())(network, inputs, labels).size
        for search in (DeepFool(overshoot=1e-5), LBFGS(binary_search_steps=20, steps=10))
    )
    torch.testing.assert_close(one, other, rtol=1e-3, atol=0)


def test_a_part_of_the_image_is_never_better_than_all_of_it():
    network, inputs = convolutional(), torch.rand(32, 1, 8, 8)
    labels = network(inputs).argmax(1)
    part, whole = (search(network, inputs, labels).size for search in (Masked(), DeepFool()))
    assert (part >= 0.9 * whole).all()
    assert (part > 1.2 * whole).any()


def test_what_changes_elsewhere_has_no_size():
    inputs = torch.rand(2, 1, 8, 8)
    changed = inputs.clone()
    changed[0, 0, 7, 7] = 0.123
    assert Masked().measure(inputs, changed).tolist() == [float("inf"), 0]
