"""Perturbations of a given length inside the box."""

import pytest
import torch

from robust_train.attacking.box import movable, scale_to, shorten_to
from robust_train.norms import norm

UNIT_BOX = (0.0, 1.0)


def points(count=64):
    center = (2 * torch.rand(count, 1, 4, 5, dtype=torch.float64) - 0.5).clamp(0, 1)
    return center, torch.randn_like(center)


@pytest.mark.parametrize("bounds", [None, UNIT_BOX], ids=["unbounded", "boxed"])
def test_what_is_scaled_has_the_length_asked_for(bounds):
    (center, r), eps = points(), torch.linspace(0.01, 0.8, 64, dtype=torch.float64)
    # Without what pushes at a wall, all lengths here are in reach.
    r = scale_to(center, movable(center, r, bounds), eps, bounds)
    torch.testing.assert_close(norm(r, "l2"), eps, rtol=1e-3, atol=0)
    if bounds:
        assert ((center + r >= -1e-12) & (center + r <= 1 + 1e-12)).all()


def test_where_the_box_ends_there_is_nothing_longer():
    center, r = points()
    farthest = torch.where(r > 0, 1 - center, -center)
    r = scale_to(center, r, torch.full((64,), 1e6, dtype=torch.float64), UNIT_BOX)
    torch.testing.assert_close(r, farthest)


@pytest.mark.parametrize("p", ["l0", "l1", "l2", "linf"])
def test_each_sample_is_shortened_to_a_length_of_its_own(p):
    (center, r), eps = points(), torch.arange(64, dtype=torch.float64) / (4 if p == "l0" else 64)
    short = shorten_to(center, r, p, eps, UNIT_BOX)
    assert (norm(short, p) <= eps.ceil() if p == "l0" else norm(short, p) <= eps * (1 + 1e-9) + 1e-12).all()
    inside = shorten_to(center, short, p, eps, UNIT_BOX)
    torch.testing.assert_close(inside, short, rtol=1e-9, atol=1e-9)


def test_in_l0_the_largest_of_what_the_box_allows_are_kept():
    center, r = torch.tensor([[0.9, 0.5, 0.5]]), torch.tensor([[3.0, 0.4, -0.2]])
    kept = shorten_to(center, r, "l0", torch.tensor([2.0]), UNIT_BOX)
    torch.testing.assert_close(kept, torch.tensor([[0.0, 0.4, -0.2]]))
