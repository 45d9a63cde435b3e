"""Inside a mask against the closed forms with masked weights."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from robust_train import (
    FAB,
    LBFGS,
    PGD,
    DeepFool,
    Mask,
    Masked,
    Minimal,
    RandomDirection,
    SaltAndPepper,
    Semirandom,
    Smallest,
    Square,
)
from tests.closed_forms import DUAL, ORDER, half_spaces
from tests.perturbations.examples import MINIMAL, name
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


DRAWING = [
    RandomDirection(),
    SaltAndPepper(),
    Semirandom(),
    FAB(restarts=2),
    Smallest(budgeted=PGD()),
    Smallest(budgeted=Square()),
]


def draws(search):
    return (
        isinstance(search, RandomDirection | SaltAndPepper | Semirandom)
        or getattr(search, "restarts", 1) > 1
        or isinstance(getattr(search, "budgeted", None), PGD)
    )


STILL = [search for search in MINIMAL if isinstance(search, Minimal) and not draws(search)]


@pytest.mark.parametrize("search", DRAWING, ids=name)
def test_a_search_that_moves_pixels_without_a_gradient_is_refused(search):
    with pytest.raises(ValueError, match=r"^Masked: .* random numbers, .*: give one that only follows"):
        Masked(minimal_search=search, mask=Checkerboard())(*case())


@pytest.mark.parametrize("search", STILL, ids=name)
def test_every_search_that_draws_nothing_finds_what_changes_the_label(search):
    network, inputs, labels = case(classes=2)
    found = Masked(minimal_search=search, mask=Checkerboard(), bounds=search.bounds)(network, inputs, labels)
    assert found.size.isfinite().sum() >= len(inputs) // 4


def test_a_start_at_the_image_will_do():
    network, inputs, labels = case(classes=2)
    budgeted = PGD(norm="l2", eps=1.0, random_start=False)
    exact, found = (
        Masked(minimal_search=search, mask=Checkerboard())(network, inputs, labels).size
        for search in (DeepFool(overshoot=1e-5), Smallest(budgeted=budgeted))
    )
    torch.testing.assert_close(found, exact, rtol=0.05, atol=0)
